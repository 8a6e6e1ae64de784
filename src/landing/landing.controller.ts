import { Controller, Get, Header, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Config } from '../config.js';
import { pageHeaders } from '../html-page.js';
import { landingPage } from './landing.page.js';
import { landingScript } from './landing.script.js';

@ApiExcludeController()
@Controller()
export class LandingController {
  private readonly page: string;

  constructor(config: Config) {
    this.page = landingPage({ withInbox: config.inbox });
  }

  @Get()
  show(@Res({ passthrough: true }) reply: FastifyReply): string {
    reply.headers(pageHeaders({ script: `'self'` }));
    return this.page;
  }

  @Get('landing.js')
  @Header('Content-Type', 'text/javascript; charset=utf-8')
  @Header('Cache-Control', 'no-cache')
  @Header('X-Content-Type-Options', 'nosniff')
  script(): string {
    return landingScript;
  }
}
