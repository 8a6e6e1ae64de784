import { type CanActivate, type ExecutionContext, Injectable, Optional } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../../api-error.js';

/** A service that tells people from programs. */
export abstract class CaptchaVerifier {
  /**
   * Whether the token is good. The IP address is the client's.
   * @throws ApiError 503 `captcha_unavailable` when nobody can say
   */
  abstract verify(token: string, ip: string): Promise<boolean>;
}

/** Lets a request pass that brings a good captcha token; every request when captcha is off. */
@Injectable()
export class CaptchaGuard implements CanActivate {
  constructor(@Optional() private readonly verifier?: CaptchaVerifier) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (!this.verifier) return true;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const token = (request.body as { captcha_token?: string }).captcha_token;
    if (token && (await this.verifier.verify(token, request.ip))) return true;
    throw new ApiError('captcha_failed', 'Solve the captcha and send its token as captcha_token');
  }
}
