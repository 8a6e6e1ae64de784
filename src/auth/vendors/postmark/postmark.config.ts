import { password } from '../../../config/readers.js';
import { Section, variable } from '../../../config/section.js';

/** User and password of HTTP Basic authentication (RFC 7617): the user has no colon. */
function login(given: string): string {
  const [, user, secret] = /^([^:]+):(.*)$/s.exec(given) ?? [];
  if (user === undefined || secret === undefined)
    throw new Error('must be a user and a password with a colon between');
  password(secret);
  return given;
}

export const postmarkConfig = new Section('Postmark', {
  login: variable('POSTMARK_WEBHOOK_LOGIN', login, {
    secret: true,
    about:
      'How Postmark logs in to report, as in the address of its webhook: `user:password`; `openssl rand -hex 32`.',
  }),
});
