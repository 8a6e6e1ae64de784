import type { Channel, ConfirmationType } from '../confirmation-type.js';

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
  /** Names this claim; whoever settles must name it again, so that a late worker cannot overwrite a newer one. */
  readonly claim: string;
}

/** What became of an attempt. Reasons are single words for the operator. */
export type Outcome =
  | { readonly status: 'sent' }
  | { readonly status: 'dropped'; readonly reason: string }
  | { readonly status: 'failed'; readonly reason: string }
  | { readonly status: 'retry'; readonly reason: string }
  /** Nothing was tried: the limit of the whole service is used up for so many milliseconds. */
  | { readonly status: 'delayed'; readonly waitMs: number };
