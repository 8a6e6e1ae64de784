import { IdempotencyKeyEntity } from './accept/idempotency/idempotency-key.entity.js';
import { MessageEntity } from './outbox/message.entity.js';
import { SmsNumberEntity } from './send/sms-abuse/sms-number.entity.js';
import { SmsPrefixEntity } from './send/sms-abuse/sms-prefix.entity.js';
import { SmsSpendingEntity } from './send/sms-abuse/sms-spending.entity.js';
import { DeliveryAttemptEntity } from './status/delivery-attempt.entity.js';
import { DeliveryEventEntity } from './status/delivery-event.entity.js';
import { SmsKeywordEntity } from './status/sms-keyword.entity.js';
import { SuppressionEntity } from './status/suppression.entity.js';
import { CodeAttemptEntity } from './tokens/code-attempt.entity.js';
import { TokenEntity } from './tokens/token.entity.js';
import { UsedLinkEntity } from './tokens/used-link.entity.js';
import { UserEntity } from './users/user.entity.js';

/** Every table of the service. The database is handed them and knows no stage. */
export const authEntities = [
  UserEntity,
  MessageEntity,
  DeliveryAttemptEntity,
  DeliveryEventEntity,
  SuppressionEntity,
  SmsKeywordEntity,
  IdempotencyKeyEntity,
  TokenEntity,
  UsedLinkEntity,
  CodeAttemptEntity,
  SmsNumberEntity,
  SmsPrefixEntity,
  SmsSpendingEntity,
];
