import { Catch, Controller, Get, HttpCode, Post, Query, Req, Res, UseFilters } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Config } from '../../config/config.js';
import { ApiError, orUnavailable } from '../../http/api-error.js';
import { isFromOwnOrigin } from '../../http/own-origin.js';
import { parseBody } from '../../http/request-body.js';
import type { Language } from '../../pages/language.js';
import { StopLinks } from '../messages/stop-links.js';
import { PageFilter, sendPage } from '../requests/page-answers.js';
import { ApiOpenStop, ApiPressStop, notALink } from './stop.openapi.js';
import { stopErrorPage, stopPage } from './stop.page.js';
import { StopService } from './stop.service.js';

@Catch()
class StopPageFilter extends PageFilter {
  protected override pageOf(status: number, language: Language): string {
    return stopErrorPage(status, language);
  }
}

@ApiTags('Verification')
@Controller('stop')
@UseFilters(StopPageFilter)
export class StopController {
  constructor(
    private readonly service: StopService,
    private readonly links: StopLinks,
    private readonly config: Config,
  ) {}

  @Get()
  @ApiOpenStop()
  open(
    @Query('token') token: unknown,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.show(token, request, reply);
  }

  /** A form on another site shows the page and presses nothing (CSRF). */
  @Post()
  @HttpCode(200)
  @ApiPressStop()
  async press(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { token, action } = await parseBody(request, { acceptForm: true });
    const link = this.links.read(token);
    if (link && isFromOwnOrigin(request.headers, this.config.publicUrl)) {
      await orUnavailable(() =>
        action === 'take_back' ? this.service.takeBack(link) : this.service.stop(link),
      );
    }
    await this.show(token, request, reply);
  }

  private async show(token: unknown, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const link = this.links.read(token);
    if (!link) throw new ApiError('validation_failed', notALink);
    const until = await orUnavailable(() => this.service.until(link));
    const form = { token: String(token), type: link.type, until };
    await sendPage(request, reply, (language) => stopPage(form, language), { formAction: `'self'` });
  }
}
