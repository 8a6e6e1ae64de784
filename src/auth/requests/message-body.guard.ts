import { type CanActivate, type ExecutionContext, Injectable, type Type } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { bodyGuard } from '../../http/body.guard.js';
import { RedirectAllowList } from './redirect-allow-list.js';

/** Brings the place where Supabase clients put the captcha token, `gotrue_meta_security.captcha_token`, into ours. */
export function withCaptchaToken(body: Record<string, unknown>): Record<string, unknown> {
  const security = body['gotrue_meta_security'];
  if ((body['captcha_token'] ?? null) !== null || typeof security !== 'object' || security === null)
    return body;
  const token: unknown = (security as Record<string, unknown>)['captcha_token'];
  return token === undefined || token === null ? body : { ...body, captcha_token: token };
}

interface RedirectingRequest {
  /** As the client sent it. */
  redirect_to?: string;
  /** What passed the allow list; null for the default. */
  redirectTo: string | null;
}

/** A guard that reads a request for a message and settles where the message's link may lead. */
export function redirectingBodyGuard<T extends RedirectingRequest>(
  bodyClass: Type<T>,
  options?: Parameters<typeof bodyGuard>[1],
): Type<CanActivate> {
  @Injectable()
  class RedirectingBodyGuard extends bodyGuard(bodyClass, options) {
    constructor(private readonly redirects: RedirectAllowList) {
      super();
    }

    override async canActivate(context: ExecutionContext): Promise<boolean> {
      await super.canActivate(context);
      const request = context
        .switchToHttp()
        .getRequest<FastifyRequest<{ Querystring: { redirect_to?: unknown } }>>();
      const body = request.body as T;
      body.redirectTo = this.redirects.choose(body.redirect_to, request.query.redirect_to);
      return true;
    }
  }
  return RedirectingBodyGuard;
}
