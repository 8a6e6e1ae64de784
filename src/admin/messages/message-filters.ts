import type { Channel, ConfirmationType } from '../../auth/confirmation-type.js';
import type { MessageStatus } from '../../auth/status/message-status.js';

/** All of them apply. Times are those of the acceptance, `since` included and `until` not. */
export interface MessageFilters {
  readonly status?: MessageStatus;
  readonly reason?: string;
  readonly type?: ConfirmationType;
  readonly channel?: Channel;
  /** Of any attempt. */
  readonly provider?: string;
  /** In its normal form. */
  readonly recipient?: string;
  readonly since?: Date;
  readonly until?: Date;
}
