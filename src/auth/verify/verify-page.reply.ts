import type { FastifyReply, FastifyRequest } from 'fastify';
import { pageHeaders } from '../../html-page.js';
import { type Language, preferredLanguage } from '../../language.js';

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
