import type { TokenPurpose } from '../confirmation-type.js';

/** Whose secret it is, what it is for, and the address that it goes to and proves. */
export interface TokenSubject {
  readonly userId: string;
  readonly purpose: TokenPurpose;
  /** Normalised email address, or E.164. */
  readonly recipient: string;
}
