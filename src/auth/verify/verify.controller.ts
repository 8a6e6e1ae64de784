import {
  Body,
  Controller,
  Get,
  Header,
  HttpCode,
  Post,
  Query,
  Req,
  Res,
  UseFilters,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Config } from '../../config/config.js';
import { AcceptContext, Accepted } from '../requests/accept-context.js';
import { sendPage } from '../requests/page-answers.js';
import { LinkPages } from './link-pages.js';
import { OwnFormInterceptor } from './own-form.interceptor.js';
import { FormRedirectInterceptor, VerifyPageFilter, VerifyRedirect } from './verify-answers.js';
import { parseVerifyLink, VerifyBodyGuard, VerifyDto, type VerifyResponse } from './verify.dto.js';
import { ApiOpenLink, ApiVerify } from './verify.openapi.js';
import { VerifyService } from './verify.service.js';

@ApiTags('Verification')
@Controller('verify')
@UseFilters(VerifyPageFilter)
export class VerifyController {
  constructor(
    private readonly verification: VerifyService,
    private readonly redirect: VerifyRedirect,
    private readonly pages: LinkPages,
    private readonly config: Config,
  ) {}

  @Get()
  @ApiOpenLink()
  async open(
    @Query() query: Record<string, unknown>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const link = parseVerifyLink(query);
    if (link && this.config.verifyOnGet && isClick(request)) {
      const verified = this.verification.verifyLink(link.type, link.token);
      await this.seeOther(reply, await this.redirect.after(verified, link.type, link.redirectTo));
    } else {
      const { status, htmlIn, policy } = await this.pages.of(link);
      await sendPage(request, reply.status(status), htmlIn, policy);
    }
  }

  @Post()
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @Header('Referrer-Policy', 'no-referrer')
  @UseGuards(VerifyBodyGuard)
  @UseInterceptors(OwnFormInterceptor, FormRedirectInterceptor)
  @ApiVerify()
  verify(@Body() body: VerifyDto, @Accepted() { client }: AcceptContext): Promise<VerifyResponse> {
    return this.verification.verify(body, client);
  }

  private async seeOther(reply: FastifyReply, location: string): Promise<void> {
    const headers = { Location: location, 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer' };
    await reply.status(303).headers(headers).send();
  }
}

/** `HEAD` and a browser's prefetch (Fetch, `Sec-Purpose`) open a link without a click. */
function isClick({ method, headers }: FastifyRequest): boolean {
  return method === 'GET' && !String(headers['sec-purpose'] ?? headers['purpose'] ?? '').includes('prefetch');
}
