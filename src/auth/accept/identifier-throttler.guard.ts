import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Channel } from '../confirmation-type.js';
import { type LimitName, OneLimitThrottlerGuard } from './throttling/one-limit-throttler.guard.js';

/** What a validated body must say to be limited by its identifier. */
export interface LimitedRequest {
  readonly channel: Channel;
  /** Normalised, so that every spelling of an address shares one bucket. */
  readonly identifier: string;
}

/** The limit of the channel, per address, known or not. Stands after the guard that validates the body. */
@Injectable()
export class IdentifierThrottlerGuard extends OneLimitThrottlerGuard {
  protected limitOf(request: FastifyRequest): LimitName {
    return limitedBody(request).channel;
  }

  protected getTracker(request: FastifyRequest): Promise<string> {
    return Promise.resolve(limitedBody(request).identifier);
  }
}

function limitedBody(request: FastifyRequest): LimitedRequest {
  const body = request.body as Partial<LimitedRequest> | undefined;
  if (body?.channel === undefined || !body.identifier) {
    throw new Error('IdentifierThrottlerGuard must stand after the guard that validates the body');
  }
  return body as LimitedRequest;
}
