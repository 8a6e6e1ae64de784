import { Body, Controller, HttpCode, Post, UseGuards } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Outbox } from '../outbox/outbox.js';
import { AcceptContext, Accepted } from '../requests/accept-context.js';
import { CaptchaAction } from './captcha/captcha-verifier.js';
import { CaptchaGuard } from './captcha/captcha.guard.js';
import { Idempotent, IdempotencyGuard } from './idempotency/idempotency.guard.js';
import { IdentifierThrottlerGuard, IpThrottlerGuard } from './throttler.guards.js';
import { ResendBodyGuard, ResendDto, type ResendResponse } from './resend.dto.js';
import { ApiResend } from './resend.openapi.js';

@ApiTags('Confirmations')
@Controller()
export class ResendController {
  constructor(private readonly outbox: Outbox) {}

  @Post('resend')
  @HttpCode(200)
  @ApiResend()
  @CaptchaAction('resend')
  @UseGuards(IpThrottlerGuard, ResendBodyGuard, IdempotencyGuard, CaptchaGuard, IdentifierThrottlerGuard)
  @Idempotent()
  resend(@Body() { type }: ResendDto, @Accepted() accepted: AcceptContext): Promise<ResendResponse> {
    return this.outbox.accept(accepted.message(type));
  }
}
