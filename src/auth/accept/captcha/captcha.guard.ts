import { type CanActivate, type ExecutionContext, Injectable, Logger } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../../../http/api-error.js';
import { Config } from '../../../config/config.js';
import { CaptchaAction, CaptchaVerifier, isCaptchaUnavailable } from './captcha-verifier.js';

/** `unverified`: there is a token, nobody can say whether it is good, and the operator lets such requests pass. */
export type CaptchaOutcome = 'solved' | 'unverified';

declare module 'fastify' {
  interface FastifyRequest {
    /**
     * Checks the captcha; the token is good once, so the check is made once, whoever asks for it. Absent when captcha
     * is off.
     * @throws ApiError 400 `captcha_failed`, 503 `captcha_unavailable`
     */
    checkCaptcha?: () => Promise<CaptchaOutcome>;
  }
}

/**
 * Lets a request pass that brings a good captcha token, and every request when captcha is off. With
 * `CAPTCHA_MODE=step-up` it asks for one here only when the client's quota is scarce; whether the identifier's is, the
 * guard of that limit finds out.
 */
@Injectable()
export class CaptchaGuard implements CanActivate {
  private readonly logger = new Logger(CaptchaGuard.name);

  constructor(
    private readonly config: Config,
    private readonly reflector: Reflector,
    private readonly verifier: CaptchaVerifier,
  ) {}

  canActivate(context: ExecutionContext): true | Promise<true> {
    const { mode } = this.config.captcha;
    if (mode === 'off') return true;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const action = this.reflector.get(CaptchaAction, context.getHandler());
    let check: Promise<CaptchaOutcome> | undefined;
    request.checkCaptcha = () => (check ??= this.check(request, action));
    if (mode !== 'always' && !request.ipQuota) return true;
    return request.checkCaptcha().then(() => true);
  }

  private async check(request: FastifyRequest, action: string): Promise<CaptchaOutcome> {
    const token = (request.body as { captcha_token?: string }).captcha_token;
    if (!token) throw captchaFailed();
    let isGood: boolean;
    try {
      isGood = await this.verifier.verify(token, { ip: request.ip, action });
    } catch (error) {
      const lenient = this.config.captcha.onOutage === 'open' && request.ipQuota !== 'spent';
      if (!lenient || !isCaptchaUnavailable(error)) throw error;
      this.logger.warn(`A captcha could not be checked: ${(error.cause as Error).message}`);
      return 'unverified';
    }
    if (!isGood) throw captchaFailed();
    return 'solved';
  }
}

function captchaFailed(): ApiError {
  return new ApiError('captcha_failed', 'Solve the captcha and send its token as captcha_token');
}
