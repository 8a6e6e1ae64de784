import { type CanActivate, createParamDecorator, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from '../../http/api-error.js';
import { AccessTokens } from './access-tokens.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose access token came with the request; set by `BearerGuard`. */
    bearerId?: string;
  }
}

/** Requires a valid access token in `Authorization: Bearer` (RFC 6750). */
@Injectable()
export class BearerGuard implements CanActivate {
  constructor(private readonly accessTokens: AccessTokens) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const [, token] = /^Bearer +([A-Za-z0-9_.-]{1,4096})$/i.exec(request.headers.authorization ?? '') ?? [];
    const bearerId = token === undefined ? null : await this.accessTokens.userIdOf(token);
    if (bearerId === null) {
      // RFC 6750, section 3: without a token the answer only says how to send one; the filter says what is wrong with one.
      if (token === undefined) http.getResponse<FastifyReply>().header('WWW-Authenticate', 'Bearer');
      throw badToken();
    }
    request.bearerId = bearerId;
    return true;
  }
}

/** No access token, a bad one, or a good one of a user who is gone or banned. */
export function badToken(): ApiError {
  return new ApiError('bad_jwt', 'Send a valid access token as Authorization: Bearer');
}

/** The id of the user whose access token the `BearerGuard` let in. */
export const BearerId = createParamDecorator((_: unknown, context: ExecutionContext) => {
  return context.switchToHttp().getRequest<FastifyRequest>().bearerId;
});
