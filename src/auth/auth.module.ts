import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import type { Config } from '../config/config.js';
import { SlidingLogStorage } from '../rate-limit/sliding-log.storage.js';
import { SqlSlidingLog } from '../rate-limit/sql-sliding-log.js';
import { slidingLogProvider, throttlerModule } from '../rate-limit/rate-limit.providers.js';
import { captchaProviders } from './accept/captcha/captcha.providers.js';
import { ChallengeController } from './accept/challenge.controller.js';
import { CaptchaGuard } from './accept/captcha/captcha.guard.js';
import { IdempotencyKeys } from './accept/idempotency/idempotency-keys.js';
import { ResendController } from './accept/resend.controller.js';
import { MessageProcessor } from './outbox/message-processor.js';
import { MessageQueue } from './outbox/message-queue.js';
import { Outbox } from './outbox/outbox.js';
import { OutboxWorker } from './outbox/outbox.worker.js';
import { RedirectAllowList } from './requests/redirect-allow-list.js';
import { Eligibility } from './send/eligibility.js';
import { RecipientLimit } from './send/recipient-limit.js';
import { Failover } from './send/failover.js';
import { mailerModule } from './vendors/smtp/mailer.module.js';
import { MessageRenderer } from './send/message-renderer.js';
import { ProviderCircuits, ProviderStates } from './send/provider-circuits.js';
import { ResendService } from './send/resend.service.js';
import { NumberCap } from './sms-abuse/number-cap.js';
import { PrefixCredit } from './sms-abuse/prefix-credit.js';
import { SmsAllowance } from './sms-abuse/sms-allowance.js';
import { SmsBudget } from './sms-abuse/sms-budget.js';
import { ChangeAddressController } from './signup/change-address.controller.js';
import { ChangeAddressService } from './signup/change-address.service.js';
import { PasswordHasher } from './signup/password-hasher.js';
import { SignUpController } from './signup/sign-up.controller.js';
import { SignUpService } from './signup/sign-up.service.js';
import { reportControllers, reportProviders, vendorProviders } from './vendors/vendors.js';
import { StopLinks } from './messages/stop-links.js';
import { StoppedMails } from './messages/stopped-mails.js';
import { StopController } from './stop/stop.controller.js';
import { StopService } from './stop/stop.service.js';
import { SuppressionList } from './messages/suppression-list.js';
import { housekeepingProviders } from './retention-jobs.js';
import { AccessTokens } from './tokens/access-tokens.js';
import { CodeAttempts } from './tokens/code-attempts.js';
import { GuessTotals } from './tokens/guess-totals.js';
import { Guesses } from './tokens/guesses.js';
import { JwksController } from './tokens/jwks.controller.js';
import { LinkStates } from './tokens/link-states.js';
import { MessageGuesses } from './tokens/message-guesses.js';
import { TokenService } from './tokens/token.service.js';
import { TypeOrmUsersRepository } from './users/typeorm-users.repository.js';
import { UserRegistration, UsersRepository } from './users/users.repository.js';
import { LinkPages } from './verify/link-pages.js';
import { VerifyController } from './verify/verify.controller.js';
import { VerifyRedirect } from './verify/verify-answers.js';
import { VerifyService } from './verify/verify.service.js';

const controllers = [
  ResendController,
  ChallengeController,
  VerifyController,
  StopController,
  SignUpController,
  ChangeAddressController,
  JwksController,
  ...reportControllers,
];

const sending: Provider[] = [
  MessageQueue,
  OutboxWorker,
  MessageProcessor,
  ResendService,
  Eligibility,
  RecipientLimit,
  MessageRenderer,
  Failover,
  ProviderCircuits,
  { provide: ProviderStates, useExisting: ProviderCircuits },
];

const smsLimits = [SmsAllowance, NumberCap, PrefixCredit, SmsBudget];

/** The stages of a message, in order. Needs the providers and the database that `AppModule` makes global. */
@Module({})
export class AuthModule {
  static forRoot(config: Config): DynamicModule {
    const accepts = config.role !== 'worker';
    const delivers = config.role !== 'api';
    return {
      module: AuthModule,
      imports: [mailerModule(config), throttlerModule()],
      controllers: accepts ? controllers : [],
      providers: [
        // 1. accept
        slidingLogProvider,
        SqlSlidingLog,
        IdempotencyKeys,
        ...captchaProviders,
        CaptchaGuard,
        RedirectAllowList,
        // 2. outbox
        Outbox,
        // 3. send
        ...(delivers ? sending : []),
        ...vendorProviders,
        SuppressionList,
        StopLinks,
        StoppedMails,
        // asked before an SMS is sent, told when its code has been verified
        ...smsLimits,
        // 4. reports
        ...(accepts ? reportProviders : []),
        ...(delivers ? housekeepingProviders : []),
        // 5. verify
        VerifyService,
        VerifyRedirect,
        LinkPages,
        StopService,
        // sign-up
        PasswordHasher,
        SignUpService,
        ChangeAddressService,
        // tokens and users
        TokenService,
        LinkStates,
        CodeAttempts,
        Guesses,
        MessageGuesses,
        GuessTotals,
        AccessTokens,
        TypeOrmUsersRepository,
        { provide: UsersRepository, useExisting: TypeOrmUsersRepository },
        { provide: UserRegistration, useExisting: TypeOrmUsersRepository },
      ],
      exports: [SlidingLogStorage, SuppressionList, ...(delivers ? [ProviderStates] : [])],
    };
  }
}
