import { readFileSync } from 'node:fs';
import { Controller, Get, Header, Headers, Query, Res, UseGuards } from '@nestjs/common';
import {
  ApiExcludeEndpoint,
  ApiOkResponse,
  ApiOperation,
  ApiQuery,
  ApiResponse,
  ApiTags,
} from '@nestjs/swagger';
import { FromThisMachineGuard } from '../http/from-this-machine.js';
import { ApiErrors } from '../openapi/api-errors.decorator.js';
import { refToHeader } from '../openapi/components.js';
import { exampleMessages, Inbox, InboxMessage } from './inbox.js';
import { inboxPage } from './inbox.page.js';

const inboxScript = readFileSync(new URL('inbox.browser.js', import.meta.url), 'utf8');
const inboxStyle = readFileSync(new URL('inbox.css', import.meta.url), 'utf8');

/** The part of the platform's response that is used here; Fastify and Express both have it. */
interface Reply {
  header(name: string, value: string): unknown;
  status(code: number): unknown;
}

/**
 * No scripts but our own, nothing from elsewhere. Inline styles are allowed because the frame that shows a mail
 * inherits this policy, and mails have no other styles.
 */
const pagePolicy = [
  `default-src 'none'`,
  `script-src 'self'`,
  `style-src 'self' 'unsafe-inline'`,
  `connect-src 'self'`,
  `img-src data:`,
  `base-uri 'none'`,
  `form-action 'none'`,
  `frame-ancestors 'none'`,
].join('; ');

const notFromHere = { not_from_this_machine: ['not_found', 'See /docs for what there is'] } as const;

/** The development inbox. Registered in development only, and there for this machine only. */
@ApiTags('Development inbox')
@Controller('inbox')
@UseGuards(FromThisMachineGuard)
export class InboxController {
  constructor(private readonly inbox: Inbox) {}

  @Get()
  @Header('Content-Type', 'text/html; charset=utf-8')
  @Header('Content-Security-Policy', pagePolicy)
  @Header('Cache-Control', 'no-store')
  @Header('Referrer-Policy', 'no-referrer')
  @Header('X-Content-Type-Options', 'nosniff')
  @ApiOperation({
    operationId: 'openInbox',
    summary: 'The inbox as a page',
    description:
      'Open it in a browser on the machine of the service: to others there is none. Development only.',
  })
  @ApiOkResponse({
    description: 'The page.',
    content: { 'text/html': { schema: { type: 'string', pattern: '^<!doctype html>' } } },
  })
  @ApiErrors(notFromHere)
  page(): string {
    return inboxPage;
  }

  @Get('messages')
  @Header('Cache-Control', 'no-cache')
  @Header('Referrer-Policy', 'no-referrer')
  @ApiOperation({
    operationId: 'listInboxMessages',
    summary: 'What was sent, newest first',
    description:
      'The newest 1,000 mails and SMS since the start, for the machine of the service alone. Development only.',
  })
  @ApiQuery({
    name: 'to',
    type: String,
    required: false,
    example: 'user@example.com',
    description: 'A whole address or number.',
  })
  @ApiOkResponse({
    type: [InboxMessage],
    description: 'The messages.',
    headers: refToHeader('ETag'),
    example: exampleMessages,
  })
  @ApiResponse({
    status: 304,
    description: 'Nothing new since the `ETag` in `If-None-Match`.',
    headers: refToHeader('ETag'),
  })
  @ApiErrors(notFromHere)
  messages(
    // Several, when the query repeats it.
    @Query('to') to: string | string[] | undefined,
    @Headers('if-none-match') known: string | undefined,
    @Res({ passthrough: true }) reply: Reply,
  ): readonly InboxMessage[] | undefined {
    const messages = this.inbox.list(to === undefined ? undefined : String(to));
    // Messages only come in at the top, so the newest names the whole list: a page that polls gets 304.
    const tag = `"${messages[0]?.id ?? 'empty'}"`;
    reply.header('ETag', tag);
    if (known !== tag) return messages;
    reply.status(304);
    return undefined;
  }

  @Get('inbox.js')
  @Header('Content-Type', 'text/javascript; charset=utf-8')
  @Header('Cache-Control', 'no-cache')
  @Header('X-Content-Type-Options', 'nosniff')
  @ApiExcludeEndpoint()
  script(): string {
    return inboxScript;
  }

  @Get('inbox.css')
  @Header('Content-Type', 'text/css; charset=utf-8')
  @Header('Cache-Control', 'no-cache')
  @Header('X-Content-Type-Options', 'nosniff')
  @ApiExcludeEndpoint()
  style(): string {
    return inboxStyle;
  }
}
