import { Injectable } from '@nestjs/common';
import { type ConfirmationType, confirmationTypes } from '../messages/confirmation-type.js';
import { ApiError } from '../../http/api-error.js';
import { RedirectAllowList } from '../requests/redirect-allow-list.js';
import { maxTokenLength, type VerifyResponse } from './verify.dto.js';

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

/** Where a browser is sent after the click. The outcome travels in the fragment, which no server gets to see. */
@Injectable()
export class VerifyRedirect {
  constructor(private readonly redirects: RedirectAllowList) {}

  /** The URL that was asked for when it is allowed, else the site's; never anybody else's. */
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
    // Whatever else went wrong is no answer to the person's click: the error filter deals with it.
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
