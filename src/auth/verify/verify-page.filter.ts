import type { FastifyReply, FastifyRequest } from 'fastify';
import { Catch } from '@nestjs/common';
import { pageHeaders } from '../../pages/frame.js';
import { type Language, preferredLanguage } from '../../pages/language.js';
import type { ApiError } from '../../http/api-error.js';
import { ApiErrorFilter } from '../../http/api-error.filter.js';
import { errorPage } from './verify.page.js';

/** Whether a page's button has posted this. */
export function isForm({ headers }: FastifyRequest): boolean {
  return (headers['content-type'] ?? '').toLowerCase().startsWith('application/x-www-form-urlencoded');
}

type Policy = Parameters<typeof pageHeaders>[0];

/** Sends a page in the language that the browser asks for, with the status that the reply has. */
export async function sendPage(
  request: FastifyRequest,
  reply: FastifyReply,
  pageIn: (language: Language) => string,
  policy: Policy = {},
): Promise<void> {
  const language = preferredLanguage(request.headers['accept-language']);
  // CORS may have written one of its own already.
  const vary = [reply.getHeader('vary'), 'Accept-Language'].filter(Boolean).join(', ');
  await reply
    .headers({ ...pageHeaders(policy), 'Content-Language': language, Vary: vary })
    .send(pageIn(language));
}

/** A person who clicks or presses the button sees a page where a program sees JSON. */
@Catch()
export class VerifyPageFilter extends ApiErrorFilter {
  protected override write(error: ApiError, request: FastifyRequest, reply: FastifyReply): void {
    if (!isPerson(request)) {
      super.write(error, request, reply);
      return;
    }
    // The links in mails and the button lead here; the reply sends itself.
    void sendPage(request, reply, (language) => errorPage(error.status, language));
  }
}

/** Browsers ask for HTML, and nobody else does. */
function isPerson(request: FastifyRequest): boolean {
  const asksForHtml = /\btext\/html\b/i.test(request.headers.accept ?? '');
  return asksForHtml && (request.method !== 'POST' || isForm(request));
}
