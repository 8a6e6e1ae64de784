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
import { purposeOf } from '../messages/confirmation-type.js';
import { LinkStates } from '../tokens/link-states.js';
import { orUnavailable } from '../../http/api-error.js';
import {
  FormRedirectInterceptor,
  formSources,
  sendPage,
  VerifyPageFilter,
  VerifyRedirect,
} from './verify-answers.js';
import {
  parseVerifyLink,
  VerifyBodyGuard,
  type VerifyLink,
  VerifyDto,
  type VerifyResponse,
} from './verify.dto.js';
import {
  confirmPage,
  confirmScript,
  incompleteLinkPage,
  invalidLinkPage,
  usedLinkPage,
} from './verify.page.js';
import { ApiOpenLink, ApiVerify } from './verify.openapi.js';
import { VerifyService } from './verify.service.js';

@ApiTags('Verification')
@Controller('verify')
@UseFilters(VerifyPageFilter)
export class VerifyController {
  constructor(
    private readonly verification: VerifyService,
    private readonly redirect: VerifyRedirect,
    private readonly links: LinkStates,
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
      await this.showPage(request, reply, link);
    }
  }

  @Post()
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @Header('Referrer-Policy', 'no-referrer')
  @UseGuards(VerifyBodyGuard)
  @UseInterceptors(FormRedirectInterceptor)
  @ApiVerify()
  verify(@Body() body: VerifyDto): Promise<VerifyResponse> {
    return this.verification.verify(body);
  }

  /** What a person should do with the link that they hold. Changes nothing. */
  private async showPage(
    request: FastifyRequest,
    reply: FastifyReply,
    link: VerifyLink | null,
  ): Promise<void> {
    if (!link) {
      await sendPage(request, reply.status(400), incompleteLinkPage);
      return;
    }
    const { type, token } = link;
    const target = this.redirect.target(link.redirectTo);
    const state = await orUnavailable(() => this.links.of(token, purposeOf(type, 'email')));
    if (state === 'live') {
      const policy = { formAction: formSources(target), script: confirmScript.source };
      await sendPage(request, reply, (language) => confirmPage({ type, token, target }, language), policy);
    } else if (state === 'used') {
      await sendPage(request, reply, (language) => usedLinkPage({ type, target }, language));
    } else {
      await sendPage(request, reply, (language) => invalidLinkPage(target, language));
    }
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
