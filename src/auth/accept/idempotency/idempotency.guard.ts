import {
  applyDecorators,
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  Catch,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  UseFilters,
  UseInterceptors,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Observable, of } from 'rxjs';
import { ApiErrorFilter } from '../../../http/api-error.filter.js';
import { ApiError } from '../../../http/api-error.js';
import { messageIdOf } from '../../../platform/ids.js';
import type { ConfirmationType } from '../../messages/confirmation-type.js';
import { AcceptContext } from '../../requests/accept-context.js';
import { IdempotencyKeys } from './idempotency-keys.js';

const maxLength = 255;

/** A String of RFC 9651 (section 3.3.3), here without the space that it may otherwise hold. */
const quoted = /^"((?:[\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;
/** Quotes, backslashes, commas and semicolons mean something in a structured field, so a bare key has none. */
const bare = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+$/;

/**
 * The key in the header `Idempotency-Key` of draft-ietf-httpapi-idempotency-key-header-07, where it is a structured
 * field String. Many clients send it without the quotes; `"k"` and `k` are the same key.
 * @returns undefined when there is no such header
 * @throws ApiError 400 `validation_failed`
 */
export function idempotencyKeyIn(headers: NodeJS.Dict<string | string[]>): string | undefined {
  const header = headers['idempotency-key'];
  if (header === undefined) return undefined;
  const key = parse(String(header).trim());
  if (key.length >= 1 && key.length <= maxLength) return key;
  throw new ApiError(
    'validation_failed',
    `Idempotency-Key must be 1 to ${maxLength} visible ASCII characters in double quotes`,
  );
}

/** The empty string when it is malformed. */
function parse(header: string): string {
  const inQuotes = quoted.exec(header)?.[1];
  if (inQuotes !== undefined) return inQuotes.replaceAll(/\\(["\\])/g, '$1');
  return bare.test(header) ? header : '';
}

/**
 * Claims the `Idempotency-Key` of the request, if it brings one, or finds out which answer it has had already. Stands after
 * the guard that validates the body, and before the captcha, whose token a retry has already used, and the limit of the
 * identifier: both let a replay pass. The route needs `@Idempotent()` too.
 */
@Injectable()
export class IdempotencyGuard implements CanActivate {
  constructor(private readonly keys: IdempotencyKeys) {}

  canActivate(context: ExecutionContext): true | Promise<true> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const key = idempotencyKeyIn(request.headers);
    return key === undefined || this.reserve(key, request, context);
  }

  private async reserve(key: string, request: FastifyRequest, context: ExecutionContext): Promise<true> {
    const route = `${context.getClass().name}.${context.getHandler().name}`;
    const { type } = request.body as { type: ConfirmationType };
    const accepted = AcceptContext.of(request);
    const { client } = accepted;
    const reserved = await this.keys.reserve({ route, client, key }, accepted.message(type));
    if ('replayOf' in reserved) {
      accepted.replayOf = reserved.replayOf;
    } else {
      accepted.messageUuid = reserved.messageId;
      accepted.giveKeyBack = () => this.keys.giveBack(reserved);
    }
    return true;
  }
}

/** Tells a client that its first request was answered already; for `Access-Control-Expose-Headers`. */
export const replayedHeader = 'Idempotency-Replayed';

/** Answers a replay as the first request was answered, in the handler's place. */
@Injectable()
class IdempotencyInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    const { replayOf } = AcceptContext.of(http.getRequest<FastifyRequest>());
    if (replayOf === undefined) return next.handle();
    http.getResponse<FastifyReply>().header(replayedHeader, 'true');
    return of({ message_id: messageIdOf(replayOf) });
  }
}

/** Gives the key of a request that fails back. A filter, because no interceptor sees what a guard throws. */
@Catch()
class IdempotencyFilter extends ApiErrorFilter {
  override async catch(thrown: unknown, host: ArgumentsHost): Promise<void> {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    try {
      // Before the answer is written: a client that reads it may try again at once.
      await AcceptContext.of(request).giveKeyBack?.();
    } catch (err) {
      const stays = 'An idempotency key stays in flight until its claim is stale';
      this.log.warn({ requestId: request.id, err }, stays);
    }
    await super.catch(thrown, host);
  }
}

/** For a route with an `IdempotencyGuard`: answers replays, and gives the keys of requests that fail back. */
export function Idempotent(): MethodDecorator {
  return applyDecorators(UseInterceptors(IdempotencyInterceptor), UseFilters(IdempotencyFilter));
}
