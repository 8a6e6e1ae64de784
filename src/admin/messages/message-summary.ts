import type { Channel, ConfirmationType } from '../../auth/confirmation-type.js';
import type { MessageStatus } from '../../auth/status/message-status.js';

/** What operators see of a row of `messages`. */
export interface MessageSummary {
  /** UUID. */
  readonly id: string;
  readonly type: ConfirmationType;
  readonly channel: Channel;
  readonly recipient: string;
  readonly redirectTo: string | null;
  readonly status: MessageStatus;
  readonly reason: string | null;
  readonly attempts: number;
  readonly acceptedAt: Date;
  readonly requeuedAt: Date | null;
  readonly dueAt: Date;
  readonly endedAt: Date | null;
}

/** Of `messages`, as a `MessageSummary` names them. */
export const columns = `id, type, channel, recipient, redirect_to AS "redirectTo", status, reason, attempts,
  accepted_at AS "acceptedAt", requeued_at AS "requeuedAt", due_at AS "dueAt", ended_at AS "endedAt"`;
