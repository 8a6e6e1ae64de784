import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ApiError } from '../../http/api-error.js';
import { ApiErrorFilter } from '../../http/api-error.filter.js';
import { pageHeaders } from '../../pages/frame.js';
import { type Language, preferredLanguage } from '../../pages/language.js';

// Browsers get redirects and pages where programs get JSON. Who is which is decided here and nowhere else.

/** A form post, as from the button of a page. */
export function isForm({ headers }: FastifyRequest): boolean {
  return (headers['content-type'] ?? '').toLowerCase().startsWith('application/x-www-form-urlencoded');
}

/** A browser opens a link or posts a form, and asks for HTML. */
function isBrowser(request: FastifyRequest): boolean {
  const asksForHtml = /\btext\/html\b/i.test(request.headers.accept ?? '');
  return asksForHtml && (request.method !== 'POST' || isForm(request));
}

export type PagePolicy = NonNullable<Parameters<typeof pageHeaders>[0]>;

/** The page in the language that the browser asks for, its headers set already. */
export function pageFor(
  request: FastifyRequest,
  reply: FastifyReply,
  pageIn: (language: Language) => string,
  policy: PagePolicy = {},
): string {
  const language = preferredLanguage(request.headers['accept-language']);
  // CORS may have written one of its own already.
  const vary = [reply.getHeader('vary'), 'Accept-Language'].filter(Boolean).join(', ');
  reply.headers({ ...pageHeaders(policy), 'Content-Language': language, Vary: vary });
  return pageIn(language);
}

/** Sends a page with the status that the reply has. */
export async function sendPage(...[request, reply, ...page]: Parameters<typeof pageFor>): Promise<void> {
  await reply.send(pageFor(request, reply, ...page));
}

/** Errors as pages for browsers, as JSON for programs. A subclass bears `@Catch()`. */
export abstract class PageFilter extends ApiErrorFilter {
  /** What a person is told, by the status of the answer. */
  protected abstract pageOf(status: number, language: Language): string;

  protected override write(error: ApiError, request: FastifyRequest, reply: FastifyReply): void {
    if (isBrowser(request)) void sendPage(request, reply, (language) => this.pageOf(error.status, language));
    else super.write(error, request, reply);
  }
}
