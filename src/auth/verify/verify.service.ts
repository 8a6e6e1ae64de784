import { Injectable } from '@nestjs/common';
import { ApiError, orUnavailable } from '../../http/api-error.js';
import { Clock } from '../../platform/clock.js';
import { Transaction } from '../../database/transaction.js';
import {
  type Channel,
  confirmationRules,
  type ConfirmationType,
  meantUser,
  purposeOf,
} from '../messages/confirmation-type.js';
import { AccessTokens } from '../tokens/access-tokens.js';
import { type CodeAttempt, CodeAttempts } from '../tokens/code-attempts.js';
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
    private readonly attempts: CodeAttempts,
    private readonly accessTokens: AccessTokens,
    private readonly transaction: Transaction,
    private readonly smsAllowance: SmsAllowance,
    private readonly clock: Clock,
  ) {}

  /** @throws ApiError 403 `otp_expired` whatever is wrong with the secret, 429 after too many wrong codes */
  verify(request: VerifyDto): Promise<VerifyResponse> {
    const { type, channel, identifier, link, code } = request;
    return identifier === undefined
      ? this.verifyLink(type, link)
      : orUnavailable(() => this.verifyCode(type, channel, identifier, code));
  }

  /** @throws ApiError 403 `otp_expired` */
  verifyLink(type: ConfirmationType, link: string): Promise<VerifyResponse> {
    const purpose = purposeOf(type, 'email');
    return orUnavailable(async () => this.complete(await this.tokens.findByLink(link, purpose), []));
  }

  private async verifyCode(
    type: ConfirmationType,
    channel: Channel,
    identifier: string,
    code: string,
  ): Promise<VerifyResponse> {
    const purpose = purposeOf(type, channel);
    const attempts: (CodeAttempt | null)[] = [await this.attempts.count(identifier, purpose)];
    const user = await this.find(type, channel, identifier);
    const rules = confirmationRules[type];
    const recipient = user ? rules.recipient(user, identifier, channel) : identifier;
    if (rules.mayGoElsewhere) attempts.push(await this.attempts.countAtRecipient(recipient, purpose));
    // Looked up in any case: a timing attack must not tell which addresses exist.
    const token = await this.tokens.findByCode(code, { userId: user?.id ?? noUser, purpose, recipient });
    const counted = attempts.filter((it) => it !== null);
    return this.complete(counted.length === attempts.length ? token : null, counted);
  }

  /** Looks in every field in which the address may be, also when the first has it (timing attack). */
  private async find(type: ConfirmationType, channel: Channel, identifier: string): Promise<User | null> {
    const keys = confirmationRules[type].lookup[channel] ?? [];
    const found = await Promise.all(keys.map((key) => this.users.find(key, identifier)));
    return meantUser(type, channel, found);
  }

  /** One transaction: when anything fails, no token is consumed and no address confirmed. */
  private async complete(token: LiveToken | null, attempts: readonly CodeAttempt[]): Promise<VerifyResponse> {
    if (!token) throw invalid();
    const user = await this.transaction.run(async () => {
      if (!(await this.tokens.consume(token))) throw invalid();
      const channel = token.purpose === 'sms' ? 'sms' : 'email';
      const confirmed = await this.users.confirm(token.userId, channel, token.recipient);
      if (!confirmed || this.isBanned(confirmed)) throw invalid();
      for (const attempt of attempts) await this.attempts.forget(attempt);
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
function invalid(): ApiError {
  return new ApiError('otp_expired', 'Ask for a new message and use the link or the code in it');
}
