import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiErrorFilter } from '../../../http/api-error.filter.js';
import { Log } from '../../../platform/log.js';
import { messageIdOf } from '../../../platform/ids.js';
import { IdempotencyKeys } from './idempotency-keys.js';
import { ReplayedAnswer } from './idempotency.guard.js';

/** Tells a client that its first request was answered already; for `Access-Control-Expose-Headers`. */
export const replayedHeader = 'Idempotency-Replayed';

/** How a request ends that was not accepted just now: with the earlier answer, or with an error and its key given back. */
@Catch()
export class IdempotencyFilter implements ExceptionFilter {
  private readonly errors: ApiErrorFilter;

  constructor(
    private readonly log: Log,
    private readonly keys: IdempotencyKeys,
  ) {
    this.errors = new ApiErrorFilter(log);
  }

  async catch(thrown: unknown, host: ArgumentsHost): Promise<void> {
    const http = host.switchToHttp();
    if (thrown instanceof ReplayedAnswer) {
      const reply = http.getResponse<FastifyReply>();
      reply.header(replayedHeader, 'true').status(200);
      reply.send({ message_id: messageIdOf(thrown.messageUuid) });
      return;
    }
    // Before the answer is written: whoever reads it may try again at once.
    await this.giveBack(http.getRequest<FastifyRequest>());
    this.errors.catch(thrown, host);
  }

  private async giveBack({ id: requestId, idempotencyClaim }: FastifyRequest): Promise<void> {
    if (!idempotencyClaim) return;
    try {
      await this.keys.giveBack(idempotencyClaim);
    } catch (err) {
      this.log.warn({ requestId, err }, 'An idempotency key stays in flight until its time has passed');
    }
  }
}
