import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { clientIpKey } from './client-ip.js';
import { type LimitName, OneLimitThrottlerGuard } from './throttling/one-limit-throttler.guard.js';

/** The general limit, per client address. Stands first: what it refuses costs nobody anything. */
@Injectable()
export class IpThrottlerGuard extends OneLimitThrottlerGuard {
  protected limitOf(): LimitName {
    return 'ip';
  }

  protected getTracker(request: FastifyRequest): Promise<string> {
    return Promise.resolve(clientIpKey(request));
  }
}
