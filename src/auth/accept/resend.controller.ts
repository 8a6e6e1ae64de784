import { Body, Controller, HttpCode, Post, UseFilters, UseGuards } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Outbox } from '../outbox/outbox.js';
import { CaptchaAction } from './captcha/captcha-verifier.js';
import { CaptchaGuard } from './captcha/captcha.guard.js';
import { IdempotencyFilter } from './idempotency/idempotency.filter.js';
import { IdempotencyGuard } from './idempotency/idempotency.guard.js';
import { IdentifierThrottlerGuard } from './identifier-throttler.guard.js';
import { IpThrottlerGuard } from './ip-throttler.guard.js';
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
  @UseFilters(IdempotencyFilter)
  resend(@Body() request: ResendDto): Promise<ResendResponse> {
    return this.outbox.accept(request);
  }
}
