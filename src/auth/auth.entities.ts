import { SlidingLogEntity } from '../rate-limit/sql-sliding-log.js';
import { IdempotencyKeyEntity } from './accept/idempotency/idempotency-keys.js';
import { DeliveryAttemptEntity, DeliveryEventEntity, MessageEntity } from './messages/message.entities.js';
import { SmsPrefixEntity } from './sms-abuse/prefix-credit.js';
import { SmsSpendingEntity } from './sms-abuse/sms-budget.js';
import { SmsKeywordEntity } from './reports/inbound-sms.js';
import { StoppedMailEntity } from './messages/stopped-mails.js';
import { SuppressionEntity } from './messages/suppression-list.js';
import { GuessTotalEntity } from './tokens/guess-totals.js';
import { TokenEntity } from './tokens/token.statements.js';
import { UsedLinkEntity } from './tokens/link-states.js';
import { UserEntity } from './users/typeorm-users.repository.js';

/** Every table of the service. The database is handed them and knows no stage. */
export const authEntities = [
  UserEntity,
  MessageEntity,
  DeliveryAttemptEntity,
  DeliveryEventEntity,
  SuppressionEntity,
  StoppedMailEntity,
  SmsKeywordEntity,
  IdempotencyKeyEntity,
  TokenEntity,
  UsedLinkEntity,
  GuessTotalEntity,
  SlidingLogEntity,
  SmsPrefixEntity,
  SmsSpendingEntity,
];
