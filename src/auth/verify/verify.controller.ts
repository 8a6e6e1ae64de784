import { Body, Controller, Get, Header, HttpCode, Post, Query, Req, Res, UseGuards } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Config } from '../../config.js';
import { pageHeaders } from '../../html-page.js';
import { VerifyBodyGuard } from './verify-body.guard.js';
import { parseVerifyLink, type VerifyLink } from './verify-link.js';
import { formSources, VerifyRedirect } from './verify-redirect.js';
import { brokenLinkPage, confirmPage } from './verify.page.js';
import { ApiOpenLink, ApiVerify } from './verify.openapi.js';
import { VerifyRequest } from './verify.request.js';
import { VerifyResponse } from './verify.response.js';
import { VerifyService } from './verify.service.js';

@ApiTags('Verification')
@Controller('verify')
export class VerifyController {
  constructor(
    private readonly verification: VerifyService,
    private readonly redirect: VerifyRedirect,
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
      await this.showPage(reply, link);
    }
  }

  @Post()
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @Header('Referrer-Policy', 'no-referrer')
  @UseGuards(VerifyBodyGuard)
  @ApiVerify()
  async verify(
    @Body() body: VerifyRequest,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<VerifyResponse | undefined> {
    const verified = this.verification.verify(body);
    if (!isForm(request)) return verified;
    const location = await this.redirect.after(verified, body.type, body.redirect_to);
    reply.status(303).header('Location', location);
    return undefined;
  }

  private async showPage(reply: FastifyReply, link: VerifyLink | null): Promise<void> {
    if (!link) {
      await reply.status(400).headers(pageHeaders()).send(brokenLinkPage());
      return;
    }
    const target = this.redirect.target(link.redirectTo);
    const headers = pageHeaders({ formAction: formSources(target) });
    await reply.headers(headers).send(confirmPage({ ...link, target }));
  }

  private async seeOther(reply: FastifyReply, location: string): Promise<void> {
    const headers = { Location: location, 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer' };
    await reply.status(303).headers(headers).send();
  }
}

/** `HEAD` and a browser's prefetch (Fetch, `Sec-Purpose`) open a link without anybody having clicked it. */
function isClick({ method, headers }: FastifyRequest): boolean {
  return method === 'GET' && !String(headers['sec-purpose'] ?? headers['purpose'] ?? '').includes('prefetch');
}

function isForm({ headers }: FastifyRequest): boolean {
  return (headers['content-type'] ?? '').toLowerCase().startsWith('application/x-www-form-urlencoded');
}
