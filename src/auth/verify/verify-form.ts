import type { FastifyRequest } from 'fastify';

/** Whether a page's button has posted this. */
export function isForm({ headers }: FastifyRequest): boolean {
  return (headers['content-type'] ?? '').toLowerCase().startsWith('application/x-www-form-urlencoded');
}
