import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../../../http/api-error.js';
import { clientIpKey } from '../../../http/client-ip.js';
import type { ResendDto } from '../resend.dto.js';
import { type Claim, IdempotencyKeys } from './idempotency-keys.js';

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

/** Thrown by the guard when there is nothing left to do: an earlier request with the key has been accepted. */
export class ReplayedAnswer extends Error {
  override readonly name = 'ReplayedAnswer';

  /** @param messageUuid of the message that the earlier request has put into the outbox */
  constructor(readonly messageUuid: string) {
    super('Answered by an earlier request');
  }
}

/**
 * Lets the first request with an `Idempotency-Key` pass, and every request without one. Stands after the guard that
 * validates the body, and before the captcha, whose token a retry has already used, and the limit of the identifier.
 * The route needs `IdempotencyFilter` too: it answers replays, and gives back the keys of requests that fail.
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
    const body = request.body as ResendDto;
    const reserved = await this.keys.reserve({ route, client: clientIpKey(request), key }, body);
    if ('replayOf' in reserved) throw new ReplayedAnswer(reserved.replayOf);
    request.idempotencyClaim = reserved;
    body.messageUuid = reserved.messageId;
    return true;
  }
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The key that this request holds until it is accepted or has failed. */
    idempotencyClaim?: Claim;
  }
}
