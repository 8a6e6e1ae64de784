import {
  type CallHandler,
  Catch,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { ApiError } from '../../http/api-error.js';
import type { Language } from '../../pages/language.js';
import { isForm, PageFilter } from '../requests/page-answers.js';
import { RedirectAllowList } from '../requests/redirect-allow-list.js';
import type { VerifyDto, VerifyResponse } from './verify.dto.js';
import { errorPage } from './verify.page.js';

/** Where a browser is sent after the click. The outcome travels in the fragment, which no server gets to see. */
@Injectable()
export class VerifyRedirect {
  constructor(private readonly redirects: RedirectAllowList) {}

  /** The URL that was asked for when it is on the allow list, else the site's (open redirect). */
  target(redirectTo: string | undefined): string {
    return redirectTo !== undefined && this.redirects.allows(redirectTo)
      ? redirectTo
      : this.redirects.defaultUrl;
  }

  /**
   * The target with the outcome of `verified` in its fragment, in place of the one it had: the tokens, or
   * `error`, `error_code` and `error_description`.
   */
  async after(
    verified: Promise<VerifyResponse>,
    type: string,
    redirectTo: string | undefined,
  ): Promise<string> {
    const url = new URL(this.target(redirectTo));
    url.hash = new URLSearchParams(await outcomeOf(verified, type)).toString();
    return url.href;
  }
}

async function outcomeOf(verified: Promise<VerifyResponse>, type: string): Promise<Record<string, string>> {
  try {
    const { access_token, token_type, expires_in, expires_at } = await verified;
    return { access_token, token_type, expires_in: String(expires_in), expires_at: String(expires_at), type };
  } catch (error) {
    // Any other error is the filter's.
    if (!(error instanceof ApiError) || error.code !== 'otp_expired') throw error;
    return { error: 'access_denied', error_code: error.code, error_description: error.msg };
  }
}

/**
 * Sources for the page's policy `form-action`. Browsers check it against every redirect that follows the post, also
 * those of the site that the person is sent to; so any https URL is taken, and the target's own scheme.
 */
export function formSources(target: string): string {
  return [...new Set([`'self'`, 'https:', new URL(target).protocol])].join(' ');
}

@Catch()
export class VerifyPageFilter extends PageFilter {
  protected override pageOf(status: number, language: Language): string {
    return errorPage(status, language);
  }
}

/** Answers a form post with 303 (See Other) and the outcome in the fragment, in place of the JSON. */
@Injectable()
export class FormRedirectInterceptor implements NestInterceptor {
  constructor(private readonly redirect: VerifyRedirect) {}

  intercept(
    context: ExecutionContext,
    next: CallHandler<VerifyResponse>,
  ): Observable<VerifyResponse | undefined> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest<{ Body: VerifyDto }>>();
    if (!isForm(request)) return next.handle();
    const { type, redirect_to } = request.body;
    const redirected = async () => {
      const location = await this.redirect.after(lastValueFrom(next.handle()), type, redirect_to);
      http.getResponse<FastifyReply>().status(303).header('Location', location);
      return undefined;
    };
    return from(redirected());
  }
}
