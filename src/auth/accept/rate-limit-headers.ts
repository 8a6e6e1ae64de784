import type { FastifyReply } from 'fastify';
import type { Limit } from '../../config.js';

/** One limit as it stands after a request was checked against it. */
export interface CheckedLimit {
  /** `ip`, `email` or `sms`. */
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

const checkedLimits = new WeakMap<FastifyReply, CheckedLimit[]>();

/**
 * Adds a limit to the reply and writes the headers anew for all that were checked so far. An exception keeps them:
 * they are on every answer, whatever happens after the check. `RateLimit-Policy` and `RateLimit` are the fields of
 * draft-ietf-httpapi-ratelimit-headers-10; `X-RateLimit-*` speaks of the limit with the fewest left.
 * @returns the seconds until every limit that is used up has a slot again; 0 when none is
 */
export function writeRateLimitHeaders(reply: FastifyReply, checked: CheckedLimit): number {
  const limits = [...(checkedLimits.get(reply) ?? []), checked];
  checkedLimits.set(reply, limits);
  const scarcest = limits.reduce((a, b) => (isScarcer(b, a) ? b : a));
  reply.header('x-ratelimit-limit', String(scarcest.limit.max));
  reply.header('x-ratelimit-remaining', String(scarcest.remaining));
  reply.header('x-ratelimit-reset', String(scarcest.reset));
  reply.header('ratelimit-policy', limits.map(policyItem).join(', '));
  reply.header(
    'ratelimit',
    limits.map(({ name, remaining, reset }) => `"${name}";r=${remaining};t=${reset}`).join(', '),
  );
  return scarcest.remaining === 0 ? scarcest.reset : 0;
}

/** Of two limits with as many left, the one that makes the client wait longer. */
function isScarcer(a: CheckedLimit, b: CheckedLimit): boolean {
  return a.remaining < b.remaining || (a.remaining === b.remaining && a.reset > b.reset);
}

function policyItem({ name, limit }: CheckedLimit): string {
  return `"${name}";q=${limit.max};w=${Math.ceil(limit.windowMs / 1000)}`;
}
