import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { clientIpKey } from '../client-ip.js';
import type { ResendRequest } from '../resend.request.js';
import { idempotencyKeyIn } from './idempotency-key.header.js';
import { type Claim, IdempotencyKeys } from './idempotency-keys.js';
import { ReplayedAnswer } from './replayed-answer.js';

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
    const body = request.body as ResendRequest;
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
