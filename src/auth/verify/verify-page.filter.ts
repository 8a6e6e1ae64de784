import { Catch } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ApiError } from '../../api-error.js';
import { ApiErrorFilter } from '../../api-error.filter.js';
import { isForm } from './verify-form.js';
import { errorPage } from './verify.page.js';
import { sendPage } from './verify-page.reply.js';

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
