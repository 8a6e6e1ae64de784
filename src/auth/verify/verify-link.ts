import { type ConfirmationType, confirmationTypes } from '../confirmation-type.js';
import { maxTokenLength } from './verify.request.js';

/** The types that come with a link. */
export type LinkType = Exclude<ConfirmationType, 'sms'>;

/** What stands in the link of a mail. */
export interface VerifyLink {
  readonly token: string;
  readonly type: LinkType;
  readonly redirectTo: string | undefined;
}

/** Longer ones are on no allow list. */
const maxRedirectLength = 2_048;

/**
 * The parts of a link, from the query string; null when one is missing, doubled or too long, as in links that a mail
 * program has cut or mangled. `token_hash` is the other name of `token`.
 */
export function parseVerifyLink(query: Record<string, unknown>): VerifyLink | null {
  const token = query['token'] ?? query['token_hash'];
  const type = query['type'];
  const redirectTo = query['redirect_to'];
  if (typeof token !== 'string' || token === '' || token.length > maxTokenLength) return null;
  if (!isLinkType(type)) return null;
  if (redirectTo === undefined) return { token, type, redirectTo };
  if (typeof redirectTo !== 'string' || redirectTo.length > maxRedirectLength) return null;
  return { token, type, redirectTo };
}

function isLinkType(type: unknown): type is LinkType {
  return type !== 'sms' && (confirmationTypes as readonly unknown[]).includes(type);
}
