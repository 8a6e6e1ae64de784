import { readFileSync } from 'node:fs';
import { Controller, Get, Header, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Config } from '../config/config.js';
import { htmlPage, pageHeaders } from './frame.js';

const landingScript = readFileSync(new URL('landing.browser.js', import.meta.url), 'utf8');

/** The landing page: for developers, and the redirect target after a click when no site is configured. */
function landingPage({ withInbox }: { withInbox: boolean }): string {
  const inbox = withInbox
    ? '<li><a href="/inbox">Development inbox</a>: every mail and SMS that was sent</li>\n'
    : '';
  return htmlPage({
    title: 'Strike Auth',
    script: '/landing.js',
    body: `<p role="status" id="outcome"></p>
<h1>Strike Auth is running</h1>
<p>It gets a lost confirmation to the person who is waiting for it.</p>
<ul>
<li><a href="/docs">API documentation</a>, with every endpoint to try</li>
${inbox}<li><a href="/health/ready">Readiness</a></li>
</ul>`,
  });
}

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
