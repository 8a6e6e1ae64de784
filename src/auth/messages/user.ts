/** A person as the delivery path and verification see them. Times are instants; null means "not yet" or "none". */
export interface User {
  readonly id: string;
  readonly email: string | null;
  readonly phone: string | null;
  readonly emailConfirmedAt: Date | null;
  readonly phoneConfirmedAt: Date | null;
  /** The address that the user asked to change to and has not confirmed yet. */
  readonly pendingEmail: string | null;
  readonly pendingPhone: string | null;
  readonly bannedUntil: Date | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly createdAt: Date;
}

/** The fields by which a user can be found. */
export type UserKey = 'email' | 'phone' | 'pendingEmail' | 'pendingPhone';
