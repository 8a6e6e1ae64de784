import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Limit } from '../config/config.js';

/** One limit as it stands after a request was checked against it. */
export interface CheckedLimit {
  /** `ip`, `email` or `sms`; with `-captcha` the quota that only a captcha opens. */
  readonly name: string;
  readonly limit: Limit;
  readonly remaining: number;
  /** Whole seconds until a slot is free. */
  readonly reset: number;
}

/** What a client's countdown reads besides `Retry-After`; for `Access-Control-Expose-Headers`. */
export const rateLimitHeaderNames = [
  'X-RateLimit-Limit',
  'X-RateLimit-Remaining',
  'X-RateLimit-Reset',
  'RateLimit-Policy',
  'RateLimit',
] as const;

/**
 * Keeps a limit that was checked for the headers of the answer.
 * @returns the seconds until every limit that is used up has a slot again; 0 when none is
 */
export function addCheckedLimit(reply: FastifyReply, checked: CheckedLimit): number {
  const limits = (reply.checkedLimits ??= []);
  limits.push(checked);
  const { remaining, reset } = scarcestOf(limits);
  return remaining === 0 ? reset : 0;
}

/**
 * Puts the headers on every answer to a request whose limits were checked, whatever happened after the check.
 * `RateLimit-Policy` and `RateLimit` are the fields of draft-ietf-httpapi-ratelimit-headers-10; `X-RateLimit-*` speaks of
 * the limit with the fewest left.
 */
export function writeRateLimitHeaders(fastify: FastifyInstance): void {
  fastify.addHook('onSend', (_request, reply, payload, done) => {
    if (reply.checkedLimits) write(reply, reply.checkedLimits);
    done(null, payload);
  });
}

declare module 'fastify' {
  interface FastifyReply {
    checkedLimits?: CheckedLimit[];
  }
}

function write(reply: FastifyReply, limits: readonly CheckedLimit[]): void {
  const scarcest = scarcestOf(limits);
  reply.header('x-ratelimit-limit', String(scarcest.limit.max));
  reply.header('x-ratelimit-remaining', String(scarcest.remaining));
  reply.header('x-ratelimit-reset', String(scarcest.reset));
  reply.header('ratelimit-policy', limits.map(policyItem).join(', '));
  reply.header(
    'ratelimit',
    limits.map(({ name, remaining, reset }) => `"${name}";r=${remaining};t=${reset}`).join(', '),
  );
}

function scarcestOf(limits: readonly CheckedLimit[]): CheckedLimit {
  return limits.reduce((a, b) => (isScarcer(b, a) ? b : a));
}

/** Of two limits with as many left, the one that makes the client wait longer. */
function isScarcer(a: CheckedLimit, b: CheckedLimit): boolean {
  return a.remaining < b.remaining || (a.remaining === b.remaining && a.reset > b.reset);
}

function policyItem({ name, limit }: CheckedLimit): string {
  return `"${name}";q=${limit.max};w=${Math.ceil(limit.windowMs / 1000)}`;
}
