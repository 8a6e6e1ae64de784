import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../../http/api-error.js';
import { RawBody, refuseTooDeep } from '../../http/request-body.js';

/** For reports about one message, in bytes. */
const reportLimit = 64 * 1024;

/**
 * Lets a report in once it is certain whose it is, and puts what it says in the place of the body. The address of a
 * client says nothing here, so no limit counts it; what an unknown client can cost is the size of one body.
 */
export abstract class EventGuard implements CanActivate {
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    request.body = await this.read(request);
    return true;
  }

  /** @throws ApiError 403 `not_authentic` when it is not theirs, 404 when nothing is taken from them at all */
  protected abstract read(request: FastifyRequest): Promise<unknown>;

  /** @throws ApiError 400 or 413 */
  protected rawText(request: FastifyRequest, limit = reportLimit): Promise<string> {
    if (!(request.body instanceof RawBody)) throw new ApiError('bad_json', 'Send the report in the body');
    return request.body.text(limit);
  }

  /** The same answer as where there is no such route. */
  protected notConfigured(): ApiError {
    return new ApiError('not_found', 'See /docs for what there is');
  }

  protected notAuthentic(cause?: unknown): ApiError {
    return new ApiError('not_authentic', 'Sign the report with the secret that this service knows', {
      cause,
    });
  }

  protected headerOf(request: FastifyRequest, name: string): string {
    const value = request.headers[name];
    return typeof value === 'string' ? value : '';
  }
}

/**
 * The object in a JSON text, at most sixteen levels deep. What its members are is for the reader of the report to say.
 * @throws ApiError 400 `bad_json`
 */
export function jsonObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Said below; the parser's message quotes the body.
  }
  if (typeof value !== 'object' || value === null) throw new ApiError('bad_json', 'Send a JSON object');
  refuseTooDeep(value);
  return value as Record<string, unknown>;
}
