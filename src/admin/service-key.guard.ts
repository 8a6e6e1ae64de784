import { applyDecorators, type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiBearerAuth } from '@nestjs/swagger';
import { ApiError, tooManyRequests } from '../http/api-error.js';
import { SlidingLogStorage } from '../rate-limit/sliding-log.storage.js';
import { Config } from '../config/config.js';
import { isSecret } from '../platform/constant-time.js';
import { KeyedHash } from '../platform/keyed-hash.js';
import { clientIpKey } from '../http/client-ip.js';
import { ApiErrors, unavailableError } from '../openapi/api-errors.decorator.js';
import { serviceKeyScheme } from '../openapi/components.js';

/** Wrong keys that one client may show in a window, in milliseconds. */
export const wrongKeyLimit = { max: 10, windowMs: 10 * 60_000 };
const limitName = 'service-key';

/**
 * Authenticates operators by service key. A right key always opens: many may be one client, behind a proxy that nobody
 * named, and a stranger there must not lock operators out. Wrong keys are counted by client, in the log that all instances
 * share, and after `wrongKeyLimit` of them the client is told to wait; that spares work and shows in the log. Against brute
 * force stands the key itself, of 32 random characters at least. The answer is the same whether or not a key is set.
 */
@Injectable()
export class ServiceKeys {
  constructor(
    private readonly config: Config,
    private readonly limits: SlidingLogStorage,
    private readonly keyedHash: KeyedHash,
  ) {}

  /** No key is set, and this is not production: figures may be shown without one. */
  get areWaived(): boolean {
    return !this.config.production && this.config.serviceKeys.length === 0;
  }

  /**
   * @param client whom wrong keys are counted against
   * @throws ApiError 401 when the key is wrong or none is set, 429 after too many wrong ones
   */
  async check(client: string, key: string): Promise<void> {
    if (isSecret(key, ...this.config.serviceKeys)) return;
    const name = this.keyedHash.pseudonym('limit', limitName, client);
    const { max, windowMs } = wrongKeyLimit;
    const { isBlocked, timeToBlockExpire } = await this.limits.increment(name, windowMs, max, 0, limitName);
    throw isBlocked ? tooManyRequests('over_request_rate_limit', timeToBlockExpire) : badServiceKey();
  }
}

/** The same whether the key is wrong, absent, or not set at all. */
function badServiceKey(): ApiError {
  return new ApiError('bad_service_key', 'Send the service key as Authorization: Bearer');
}

/** Requires a service key in `Authorization: Bearer`. What it guards is kept in no cache. */
@Injectable()
export class ServiceKeyGuard implements CanActivate {
  constructor(protected readonly keys: ServiceKeys) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>().header('Cache-Control', 'no-store');
    const [, key] = /^Bearer +(\S{1,1024})$/i.exec(request.headers.authorization ?? '') ?? [];
    if (key === undefined) {
      // RFC 6750, section 3: without a key the answer only says how to send one. Nothing was guessed, nothing is counted.
      reply.header('WWW-Authenticate', 'Bearer');
      throw badServiceKey();
    }
    await this.keys.check(clientIpKey(request), key);
    return true;
  }
}

/** The errors of every route that wants a service key. */
export const serviceKeyErrors = {
  bad_service_key: ['bad_service_key', 'Send the service key as Authorization: Bearer'],
  too_many_wrong_keys: ['over_request_rate_limit', 'Try again in 413 seconds'],
} as const;

/** An endpoint for operators that asks the database, with the errors of its own. */
export function ApiForOperators(errors: Parameters<typeof ApiErrors>[0] = {}) {
  return applyDecorators(
    ApiBearerAuth(serviceKeyScheme),
    ApiErrors({ ...errors, ...serviceKeyErrors, ...unavailableError }),
  );
}
