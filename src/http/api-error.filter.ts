import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from './api-error.js';
import { Log } from '../platform/log.js';

/** Turns whatever was thrown into the one form that all errors have. An unexpected error becomes a bare 500 and a line in the log. */
@Catch()
export class ApiErrorFilter implements ExceptionFilter {
  constructor(protected readonly log: Log) {}

  catch(thrown: unknown, host: ArgumentsHost): void | Promise<void> {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const error = asApiError(thrown);
    if (error.status >= 500) {
      this.log.error({ requestId: request.id, err: error.cause ?? thrown }, error.msg);
    }
    reply.logged = { errorCode: error.code };
    if (error.retryAfter !== undefined) reply.header('Retry-After', String(error.retryAfter));
    if (error.status === 401 && !reply.hasHeader('WWW-Authenticate')) {
      const scheme = error.code === 'invalid_backend_key' ? 'Backend-Key' : 'Bearer error="invalid_token"';
      reply.header('WWW-Authenticate', scheme);
    }
    reply.status(error.status);
    this.write(error, request, reply);
  }

  /** Writes what the client gets to see; status and headers are there already. */
  protected write(error: ApiError, request: FastifyRequest, reply: FastifyReply): void {
    if (prefersProblem(request.headers.accept)) {
      reply
        .header('Content-Type', 'application/problem+json; charset=utf-8')
        .send(JSON.stringify(error.problem()));
    } else {
      reply.send(error.body());
    }
  }
}

function asApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  const status = statusOf(thrown);
  if (status === 404) return new ApiError('not_found', 'See /docs for what there is', { cause: thrown });
  if (status === 413)
    return new ApiError('request_entity_too_large', 'Send a smaller body', { cause: thrown });
  if (status === 415)
    return new ApiError('unsupported_media_type', 'Send the body as application/json', { cause: thrown });
  if (status !== undefined && status >= 400 && status < 500) {
    return new ApiError('validation_failed', 'The request is malformed', {
      msg: 'Malformed request',
      cause: thrown,
    });
  }
  return new ApiError('unexpected_failure', 'Please try again later', { cause: thrown });
}

/** The status that Nest's or Fastify's own errors carry. */
function statusOf(thrown: unknown): number | undefined {
  if (thrown instanceof HttpException) return thrown.getStatus();
  const status: unknown = (thrown as { statusCode?: unknown } | null)?.statusCode;
  return typeof status === 'number' ? status : undefined;
}

function prefersProblem(accept = ''): boolean {
  return /\bapplication\/problem\+json\b/i.test(accept);
}
