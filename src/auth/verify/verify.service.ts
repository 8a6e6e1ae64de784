import { Injectable } from '@nestjs/common';
import { ApiError, orUnavailable } from '../../http/api-error.js';
import { Clock } from '../../platform/clock.js';
import { Log } from '../../platform/log.js';
import { Metrics } from '../../platform/metrics.js';
import type { Asker } from '../messages/asked-by.js';
import { Transaction } from '../../database/transaction.js';
import {
  type Channel,
  confirmationRules,
  type ConfirmationType,
  meantUser,
  purposeOf,
} from '../messages/confirmation-type.js';
import { AccessTokens } from '../tokens/access-tokens.js';
import { type Guess, Guesses } from '../tokens/guesses.js';
import { SmsAllowance } from '../sms-abuse/sms-allowance.js';
import { type LiveToken, TokenService } from '../tokens/token.service.js';
import type { User } from '../messages/user.js';
import { UserResponse } from '../users/user.response.js';
import { UsersRepository } from '../users/users.repository.js';
import type { VerifyDto, VerifyResponse } from './verify.dto.js';

/** Dummy for a user who does not exist, so that the same statements run (timing attack). The nil UUID (RFC 9562). */
const noUser = '00000000-0000-0000-0000-000000000000';

/** Verifies a link or a code: records what it proves, and issues an access token. */
@Injectable()
export class VerifyService {
  constructor(
    private readonly users: UsersRepository,
    private readonly tokens: TokenService,
    private readonly guesses: Guesses,
    private readonly accessTokens: AccessTokens,
    private readonly transaction: Transaction,
    private readonly smsAllowance: SmsAllowance,
    private readonly metrics: Metrics,
    private readonly log: Log,
    private readonly clock: Clock,
  ) {}

  /**
   * @param client who asks: see `clientIpKey`
   * @throws ApiError 403 `otp_expired` whatever is wrong with the secret, 429 after too many wrong codes
   */
  verify(request: VerifyDto, client: string): Promise<VerifyResponse> {
    const { type, channel, identifier, link } = request;
    if (identifier === undefined) return this.verifyLink(type, link);
    const asker = { identifier, purpose: purposeOf(type, channel), client };
    return orUnavailable(() => this.verifyCode(request, asker));
  }

  /** @throws ApiError 403 `otp_expired` */
  verifyLink(type: ConfirmationType, link: string): Promise<VerifyResponse> {
    const purpose = purposeOf(type, 'email');
    return orUnavailable(async () => this.complete(await this.tokens.findByLink(link, purpose)));
  }

  private async verifyCode(
    { type, channel, code, messageUuid }: VerifyDto,
    asker: Asker,
  ): Promise<VerifyResponse> {
    const { identifier, purpose } = asker;
    const guess = await this.guesses.count(asker, messageUuid);
    if (guess.isSpent) throw this.wrong(type, guess);
    const user = await this.find(type, channel, identifier);
    const rules = confirmationRules[type];
    const recipient = user ? rules.recipient(user, identifier, channel) : identifier;
    const isCompared = await this.guesses.countAt(recipient, asker, guess, rules.mayGoElsewhere);
    // Looked up in any case: a timing attack must not tell which addresses exist, nor how often somebody has guessed.
    const token = await this.tokens.findByCode(code, { userId: user?.id ?? noUser, purpose, recipient });
    if (!token || !isCompared) throw this.wrong(type, guess);
    return this.complete(token, guess);
  }

  /** Counted and logged, since no person is told yet. */
  private wrong(type: ConfirmationType, { count, attemptsLeft }: Guess): ApiError {
    this.metrics.wrongCodes.inc({ type, count });
    this.log.info({ type, count }, 'A code was wrong');
    return invalid(attemptsLeft);
  }

  /** Looks in every field in which the address may be, also when the first has it (timing attack). */
  private async find(type: ConfirmationType, channel: Channel, identifier: string): Promise<User | null> {
    const keys = confirmationRules[type].lookup[channel] ?? [];
    const found = await Promise.all(keys.map((key) => this.users.find(key, identifier)));
    return meantUser(type, channel, found);
  }

  /** One transaction: when anything fails, no token is consumed and no address confirmed. */
  private async complete(
    token: LiveToken | null,
    guess: Pick<Guess, 'attempts' | 'attemptsLeft'> = { attempts: [] },
  ): Promise<VerifyResponse> {
    const refusal = invalid(guess.attemptsLeft);
    if (!token) throw refusal;
    const user = await this.transaction.run(async () => {
      if (!(await this.tokens.consume(token))) throw refusal;
      const channel = token.purpose === 'sms' ? 'sms' : 'email';
      const confirmed = await this.users.confirm(token.userId, channel, token.recipient);
      if (!confirmed || this.isBanned(confirmed)) throw refusal;
      await this.guesses.forget(guess, token);
      return confirmed;
    });
    if (token.purpose === 'sms') await this.smsAllowance.verified(token.recipient);
    return { ...(await this.accessTokens.issue(user)), user: UserResponse.of(user) };
  }

  private isBanned({ bannedUntil }: User): boolean {
    return bannedUntil !== null && bannedUntil.getTime() > this.clock.now();
  }
}

/** One answer for every reason, so that it tells nothing about users. */
function invalid(attemptsLeft?: number): ApiError {
  const left = attemptsLeft === undefined ? {} : { attemptsLeft };
  return new ApiError('otp_expired', 'Ask for a new message and use the link or the code in it', left);
}
