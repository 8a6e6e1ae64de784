import type { Channel } from '../messages/confirmation-type.js';
import type { User, UserKey } from '../messages/user.js';

/** Who the users are. Implement it to put Strike Auth in front of another user store. */
export abstract class UsersRepository {
  /**
   * The user whose `key` is this normalised address, or null. A pending address can belong to several users:
   * then the one who asked last.
   */
  abstract find(key: UserKey, address: string): Promise<User | null>;

  abstract findById(id: string): Promise<User | null>;

  /**
   * Records that the user has proved to own `address`: confirms it when it is theirs, moves it into place when it
   * is their pending one. Returns the user as they are now; null when the address is neither of the two any more,
   * or another user has taken it meanwhile. Doing it twice changes nothing.
   */
  abstract confirm(id: string, channel: Channel, address: string): Promise<User | null>;
}

export interface NewUser {
  readonly id: string;
  readonly email: string | null;
  readonly phone: string | null;
  /** PHC string; the password itself is never stored. */
  readonly passwordHash: string;
  readonly metadata: Record<string, unknown>;
  readonly createdAt: Date;
}

/** Registers users and their requests for another address. */
export abstract class UserRegistration {
  /** Adds the user unless the address is taken; says nothing about which of the two happened. */
  abstract addIfAbsent(user: NewUser): Promise<void>;

  /** Records the address that the user wants to change to. Null when there is no such user. */
  abstract requestChange(id: string, channel: Channel, address: string): Promise<User | null>;

  /** Ends every change to this address that waits for its confirmation, whoever asked for it. */
  abstract endChanges(channel: Channel, address: string): Promise<void>;
}
