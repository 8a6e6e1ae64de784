import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { from, type Observable } from 'rxjs';
import { Config } from '../../config/config.js';
import { isFromOwnOrigin } from '../../http/own-origin.js';
import { isForm, pageFor } from '../requests/page-answers.js';
import { LinkPages } from './link-pages.js';
import { parseVerifyLink, type VerifyDto } from './verify.dto.js';

/**
 * Login CSRF: a form on another site would sign its visitor in to the account of whoever made it. It gets the page with the
 * button, which the person has not seen yet, and consumes nothing. JSON needs no such check: other sites cannot send it
 * without CORS.
 */
@Injectable()
export class OwnFormInterceptor implements NestInterceptor {
  constructor(
    private readonly config: Config,
    private readonly pages: LinkPages,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest<{ Body: VerifyDto }>>();
    if (!isForm(request) || isFromOwnOrigin(request.headers, this.config.publicUrl)) return next.handle();
    return from(this.page(request, http.getResponse<FastifyReply>()));
  }

  private async page(request: FastifyRequest<{ Body: VerifyDto }>, reply: FastifyReply): Promise<string> {
    const { identifier, ...fields } = linkFields(request.body);
    // A code is typed on no page of ours.
    const { status, htmlIn, policy } = await this.pages.of(identifier ? null : parseVerifyLink(fields));
    reply.status(status);
    return pageFor(request, reply, htmlIn, policy);
  }
}

function linkFields({ type, link: token, redirect_to, identifier }: VerifyDto) {
  return { type, token, redirect_to, identifier };
}
