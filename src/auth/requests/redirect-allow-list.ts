import { domainToUnicode } from 'node:url';
import { Injectable, Logger } from '@nestjs/common';
import { ApiQuery } from '@nestjs/swagger';
import { ApiError } from '../../http/api-error.js';
import { type RedirectRule, redirectRule } from '../../config/addresses.config.js';
import { Config } from '../../config/config.js';

/** What a client is told whose `redirect_to` in the body may not be followed. */
export const redirectNotAllowed =
  'redirect_to is not on the allow list; the operator adds its origin to REDIRECT_ALLOW_LIST';

/**
 * Where people may be sent after a confirmation. An entry is an origin (`https://app.example.com`, all of its paths),
 * an origin with a path (`https://example.com/done`, or `https://example.com/app/*` for all below), all subdomains
 * (`https://*.example.com`), or a custom scheme (`com.example.app://callback`). The site URL's origin is always on it.
 */
@Injectable()
export class RedirectAllowList {
  /** Where people go when they asked for nothing that is allowed. */
  readonly defaultUrl: string;
  private readonly rules: readonly RedirectRule[];
  private readonly logger = new Logger(RedirectAllowList.name);

  constructor(config: Config) {
    this.defaultUrl = config.siteUrl;
    this.rules = [redirectRule(new URL(config.siteUrl).origin), ...config.redirectAllowList];
  }

  allows(redirectTo: string): boolean {
    const url = parseStrictly(redirectTo);
    return url !== null && this.rules.some((rule) => matches(rule, url));
  }

  /**
   * The URL to keep with a request; null for the default one. A URL in the body that is not allowed is an error, so
   * that a developer sees it; one in the query string, where Supabase clients put it, is replaced by the default.
   * @throws ApiError 400 `validation_failed`
   */
  choose(inBody: string | undefined, inQuery: unknown): string | null {
    if (inBody !== undefined) {
      if (this.allows(inBody)) return inBody;
      throw new ApiError('validation_failed', redirectNotAllowed);
    }
    if (typeof inQuery !== 'string' || inQuery === '') return null;
    if (this.allows(inQuery)) return inQuery;
    this.logger.warn(
      'redirect_to in the query string is not on the allow list; the site URL is used instead',
    );
    return null;
  }
}

/**
 * The URL as a browser would read it, or null when it holds anything that readers disagree about: white space and
 * control characters, backslashes, credentials, a scheme without `//`, a host that is spelt in another way than its own.
 */
function parseStrictly(text: string): URL | null {
  if (text.length > 2_048 || !text.isWellFormed()) return null;
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u0020\u007f-\u00a0\u2028\u2029\\]/.test(text)) return null;
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^/]/i.test(text) || !URL.canParse(text)) return null;
  const url = new URL(text);
  if (url.username !== '' || url.password !== '' || /^[^/]*\/\/[^/?#]*@/.test(text)) return null;
  return hasPlainHost(text, url) ? url : null;
}

/**
 * Whether the host stands there as it is. Browsers make one host of many spellings: percent-encoded, full-width letters,
 * other dots, an IP address as one number. Other programs do not, or make another one of it.
 */
function hasPlainHost(text: string, { hostname }: URL): boolean {
  const [, spelt = ''] = /^[^/]*\/\/([^/?#]*?)(?::\d*)?(?:[/?#]|$)/.exec(text) ?? [];
  const host = spelt.toLowerCase();
  return host === hostname.toLowerCase() || host === domainToUnicode(hostname);
}

function matches(rule: RedirectRule, url: URL): boolean {
  if (url.protocol !== `${rule.scheme}:`) return false;
  const host = url.host.toLowerCase();
  if (rule.anySubdomain ? !isSubdomain(host, rule.host) : host !== rule.host) return false;
  if (rule.path === null) return true;
  // What one server takes for a path's character, another takes for a separator, or cuts off as a parameter.
  if (/%(25)*(2e|2f|5c)|\/\.{1,2};/i.test(url.pathname)) return false;
  return rule.anyPathBelow ? url.pathname.startsWith(rule.path) : url.pathname === rule.path;
}

function isSubdomain(host: string, parent: string): boolean {
  if (!host.endsWith(`.${parent}`)) return false;
  return /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(host.slice(0, -parent.length - 1));
}

/** The other place of `redirect_to`, where clients of the Supabase Auth family put it. */
export function ApiRedirectQuery() {
  return ApiQuery({
    name: 'redirect_to',
    required: false,
    schema: { type: 'string' },
    description:
      'As in the body, which wins. Here a URL that is not on the allow list is replaced by the site URL, and the ' +
      'log has a warning.',
  });
}
