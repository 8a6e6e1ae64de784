import type { User, UserKey } from './user.js';

export const confirmationTypes = ['signup', 'recovery', 'magiclink', 'email_change', 'sms'] as const;
export type ConfirmationType = (typeof confirmationTypes)[number];

export type Channel = 'email' | 'sms';

/**
 * What a secret may be used for. Every secret that travels by SMS serves one purpose: a person who types a code
 * does not know whether it came from a sign-up or from a resend.
 */
export type TokenPurpose = Exclude<ConfirmationType, 'sms'> | 'sms';

interface ConfirmationRule {
  /** Where the person is looked up, in order; the first that is found counts. */
  readonly lookup: Readonly<Partial<Record<Channel, readonly UserKey[]>>>;
  /** Why this user gets nothing, as the operator will read it; null when the message may go. */
  readonly refusal: (user: User, channel: Channel) => string | null;
  /** The field that holds the address the message goes to. */
  readonly recipient: (user: User, requested: string, channel: Channel) => string;
  /**
   * Whether that may be another address than the one that was named, which is what a request is counted by. Then it is
   * counted by where it leads, too.
   */
  readonly mayGoElsewhere: boolean;
}

const requestedAddress: ConfirmationRule['recipient'] = (_user, requested) => requested;

/** Everything that differs between the types, in one place: who may get what, and to which address it goes. */
export const confirmationRules: Readonly<Record<ConfirmationType, ConfirmationRule>> = {
  signup: {
    lookup: { email: ['email'], sms: ['phone'] },
    refusal: (user, channel) =>
      (channel === 'email' ? user.emailConfirmedAt : user.phoneConfirmedAt) ? 'already_confirmed' : null,
    recipient: requestedAddress,
    mayGoElsewhere: false,
  },
  recovery: toWhoeverHas({ email: ['email'] }),
  magiclink: toWhoeverHas({ email: ['email'] }),
  email_change: {
    lookup: { email: ['email', 'pendingEmail'] },
    refusal: (user) => (user.pendingEmail ? null : 'no_pending_change'),
    recipient: (user, requested) => user.pendingEmail ?? requested,
    mayGoElsewhere: true,
  },
  sms: toWhoeverHas({ sms: ['phone', 'pendingPhone'] }),
};

function toWhoeverHas(lookup: ConfirmationRule['lookup']): ConfirmationRule {
  return { lookup, refusal: () => null, recipient: requestedAddress, mayGoElsewhere: false };
}

/**
 * Whom a request means, of those who were found under its address, in the order of the type's `lookup`: the first who
 * may get the message, else the first. So a user who waits for an address does not come before the one who has it.
 */
export function meantUser(
  type: ConfirmationType,
  channel: Channel,
  found: readonly (User | null)[],
): User | null {
  const users = found.filter((user) => user !== null);
  return users.find((user) => confirmationRules[type].refusal(user, channel) === null) ?? users[0] ?? null;
}

/** The purpose of the secret in a message of this type over this channel. */
export function purposeOf(type: ConfirmationType, channel: Channel): TokenPurpose {
  return channel === 'sms' ? 'sms' : type;
}
