import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Log, maskIdentifier } from '../platform/log.js';
import { LogSampler } from './log-sampler.js';
import type { Clock } from '../platform/clock.js';
import type { Metrics } from '../platform/metrics.js';

/**
 * One line and one measurement for every answer. Addresses are masked; bodies, query strings and headers, where
 * secrets travel, are left out.
 */
export function logRequests(
  fastify: FastifyInstance,
  log: Log,
  metrics: Metrics,
  clock: Pick<Clock, 'monotonic'>,
): void {
  const refusals = new LogSampler(clock);
  fastify.addHook('preSerialization', (_request, reply, payload, done) => {
    const messageId = (payload as { message_id?: string } | null)?.message_id;
    if (messageId !== undefined) reply.logged = { messageId };
    done(null, payload);
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unknown';
    metrics.requests.observe(
      { method: request.method, route, status: reply.statusCode },
      reply.elapsedTime / 1_000,
    );
    const standsFor = reply.statusCode === 429 ? refusals.weigh() : 1;
    // A refusal that the sample leaves out can still be seen by who looks for it.
    const level = standsFor === 0 ? 'debug' : levelOf(route);
    if (log.isLevelEnabled(level)) log[level](lineOf(request, reply, route, standsFor), 'request');
    done();
  });
}

/** Probes and pages that refresh themselves would drown everything else. */
function levelOf(route: string): 'info' | 'debug' {
  return /^\/(health|metrics|docs|inbox)/.test(route) ? 'debug' : 'info';
}

function lineOf(request: FastifyRequest, reply: FastifyReply, route: string, standsFor: number) {
  const { type, identifier } = (request.body ?? {}) as { type?: unknown; identifier?: unknown };
  return {
    event: 'request',
    requestId: request.id,
    method: request.method,
    route,
    status: reply.statusCode,
    ms: Math.round(reply.elapsedTime * 10) / 10,
    // Only a validated body has an identifier.
    ...(typeof identifier === 'string' ? { type, identifier: maskIdentifier(identifier) } : {}),
    ...(standsFor > 1 ? { sampled: standsFor } : {}),
    ...reply.logged,
  };
}

declare module 'fastify' {
  interface FastifyReply {
    /** What the log says of the answer: the error that it is, or the message that it put into the outbox. */
    logged?: { readonly errorCode: string } | { readonly messageId: string };
  }
}
