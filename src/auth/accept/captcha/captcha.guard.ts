import { type CanActivate, type ExecutionContext, Injectable, Logger } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../../../http/api-error.js';
import { Config } from '../../../config/config.js';
import { AcceptContext, type CaptchaOutcome } from '../../requests/accept-context.js';
import { CaptchaAction, CaptchaVerifier, isCaptchaUnavailable } from './captcha-verifier.js';

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
    const accepted = AcceptContext.of(request);
    if (accepted.replayOf !== undefined) return true;
    const action = this.reflector.get(CaptchaAction, context.getHandler());
    let check: Promise<CaptchaOutcome> | undefined;
    accepted.checkCaptcha = () => (check ??= this.check(request, accepted, action));
    if (mode !== 'always' && accepted.ipQuota === 'ample') return true;
    return accepted.checkCaptcha().then(() => true);
  }

  private async check(
    { ip, body }: FastifyRequest,
    { ipQuota }: AcceptContext,
    action: string,
  ): Promise<CaptchaOutcome> {
    const token = (body as { captcha_token?: string }).captcha_token;
    if (!token) throw captchaFailed();
    let isGood: boolean;
    try {
      isGood = await this.verifier.verify(token, { ip, action });
    } catch (error) {
      const lenient = this.config.captcha.onOutage === 'open' && ipQuota !== 'spent';
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
