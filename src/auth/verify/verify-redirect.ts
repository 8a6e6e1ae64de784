import { Injectable } from '@nestjs/common';
import { ApiError } from '../../api-error.js';
import { RedirectAllowList } from '../redirect-allow-list.js';
import type { VerifyResponse } from './verify.response.js';

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
