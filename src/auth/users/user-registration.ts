import type { Channel } from '../confirmation-type.js';
import type { User } from './user.js';

export interface NewUser {
  readonly id: string;
  readonly email: string | null;
  readonly phone: string | null;
  /** PHC string; the password itself is never stored. */
  readonly passwordHash: string;
  readonly metadata: Record<string, unknown>;
  readonly createdAt: Date;
}

/** How users come to be and ask for changes. */
export abstract class UserRegistration {
  /** Adds the user unless the address is taken; says nothing about which of the two happened. */
  abstract addIfAbsent(user: NewUser): Promise<void>;

  /** Records the address that the user wants to change to. Null when there is no such user. */
  abstract requestChange(id: string, channel: Channel, address: string): Promise<User | null>;
}
