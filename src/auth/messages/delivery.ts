import type { Channel, ConfirmationType } from './confirmation-type.js';
import type { AttemptOutcome } from './message.entities.js';
import type { SuppressionReason } from './suppression-list.js';

/** A message that a worker holds under a lease. */
export interface ClaimedMessage {
  readonly id: string;
  readonly type: ConfirmationType;
  readonly channel: Channel;
  readonly recipient: string;
  readonly redirectTo: string | null;
  /** This attempt included. */
  readonly attempts: number;
  readonly acceptedAt: Date;
  /** When an operator asked for it once more. */
  readonly requeuedAt: Date | null;
  /** Fencing token: a settlement must name its claim, so that a late worker cannot overwrite a newer one. */
  readonly claim: string;
  /** Whether another worker held it until its lease ran out, so that it may have been sent already. */
  readonly takenOver: boolean;
  /**
   * Whether a provider may have been asked since it was accepted, or since an operator asked for it once more. Else it has
   * only waited so far, however often it was claimed.
   */
  readonly tried: boolean;
  /** The providers that left it open whether they took it, in the order of time, each as often as it did. */
  readonly uncertain: readonly string[];
}

/** What becomes of a message after an attempt. Reasons are single words for the operator. */
export type Outcome =
  | { readonly status: 'sent' }
  | { readonly status: 'dropped'; readonly reason: string }
  | { readonly status: 'failed'; readonly reason: string }
  | { readonly status: 'retry'; readonly reason: string }
  /** Nothing was tried: no provider of its channel is in use for about so many milliseconds. */
  | { readonly status: 'waiting'; readonly reason: string; readonly waitMs: number }
  /** Nothing was tried: the limit of the whole service is used up for so many milliseconds. */
  | { readonly status: 'delayed'; readonly waitMs: number };

/** One try at one provider; a row of `delivery_attempts`. */
export interface ProviderAttempt {
  readonly id: string;
  readonly provider: string;
  readonly receiptId: string | null;
  readonly outcome: AttemptOutcome;
  /** Null when it was sent. */
  readonly error: string | null;
  readonly startedAt: Date;
  readonly endedAt: Date;
}

/** An attempt at delivery, with each provider that was asked. */
export interface Delivery {
  readonly outcome: Outcome;
  readonly tries: readonly ProviderAttempt[];
  /** Why nothing more is to be sent to the recipient; absent when they go on. */
  readonly recipientLoss?: SuppressionReason | undefined;
}
