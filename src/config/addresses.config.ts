import { isIP } from 'node:net';
import { normalizeIp } from '@nestjs/throttler';
import { list, url } from './readers.js';
import { isPlainHttp, isStrict, isThisMachine } from './plaintext.js';
import { Section, variable } from './section.js';
import { service } from './service.config.js';

/** Where a client may be sent: one entry of the allow list, as the WHATWG URL parser writes its parts. */
export interface RedirectRule {
  readonly scheme: string;
  /** With the port, unless it is the scheme's own. */
  readonly host: string;
  readonly anySubdomain: boolean;
  /** Null: any path. */
  readonly path: string | null;
  readonly anyPathBelow: boolean;
}

const redirectPattern = /^([a-z][a-z0-9+.-]*):\/\/(\*\.)?([^/?#@\\*\s]*)(?:(\/[^?#*\s\\]*)(\*)?)?$/i;
const forbiddenSchemes = new Set(['javascript', 'data', 'vbscript', 'file', 'blob', 'about', 'filesystem']);

export function redirectRule(entry: string): RedirectRule {
  const [, scheme, subdomains, host, path, star] = redirectPattern.exec(entry) ?? [];
  const web = /^https?$/i.test(scheme ?? '');
  if (
    !scheme ||
    !host ||
    forbiddenSchemes.has(scheme.toLowerCase()) ||
    (web && !URL.canParse(`${scheme}://${host}`)) ||
    // A wildcard below a top-level domain spans sites of different owners.
    (subdomains !== undefined && web && !host.includes('.') && !/^localhost(:|$)/i.test(host))
  ) {
    throw new Error(
      'has an entry that is no origin, path, subdomain wildcard (https://*.example.com) or custom scheme (myapp://callback)',
    );
  }
  return {
    scheme: scheme.toLowerCase(),
    // The URL parser knows the default ports and the ASCII form of the host.
    host: web ? new URL(`${scheme}://${host}`).host : host.toLowerCase(),
    anySubdomain: subdomains !== undefined,
    path: path === undefined || (path === '/' && !star) ? null : path,
    anyPathBelow: star !== undefined,
  };
}

/** Whose `X-Forwarded-For` counts: the nearest proxies, so many hops, or those in the networks (CIDR). */
export interface TrustedProxies {
  readonly hops: number;
  readonly networks: readonly { readonly address: string; readonly prefix: number }[];
}

const maxHops = 10;
const proxiesRule =
  'must be a number of proxies, such as 1, or their addresses and networks, such as 10.0.0.0/8,fd00::/8';

export function trustedProxies(given: string): TrustedProxies {
  const items = list(given);
  const [first = '', ...others] = items;
  if (!/^\d+$/.test(first)) return { hops: 0, networks: items.map(network) };
  if (others.length > 0) throw new Error(`${proxiesRule}; not both`);
  if (Number(first) > maxHops) throw new Error(`counts at most ${maxHops} proxies`);
  return { hops: Number(first), networks: [] };
}

function network(item: string): TrustedProxies['networks'][number] {
  const [given = '', prefix, ...rest] = item.split('/');
  if (isIP(given) === 0 || rest.length > 0) throw new Error(proxiesRule);
  const address = unmapped(given);
  const bits = isIP(address) === 6 ? 128 : 32;
  if (prefix === undefined) return { address, prefix: bits };
  if (isIP(given) !== isIP(address)) throw new Error('names an IPv4 network in IPv6 form; write it as IPv4');
  if (/^0+$/.test(prefix)) {
    throw new Error('would trust the whole internet: every client could choose its own address');
  }
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > bits) throw new Error(proxiesRule);
  return { address, prefix: Number(prefix) };
}

/** An IPv4-mapped IPv6 address as IPv4, any other as it is. */
export function unmapped(address: string): string {
  return normalizeIp(address, 128).replace(/\/128$/, '');
}

function publicUrl(given: string): string {
  const address = url('http', 'https')(given);
  if (new URL(address).pathname === '/') return address.replace(/\/+$/, '');
  throw new Error('must have no path: pages and links begin at its root');
}

const variables = {
  publicUrl: variable('PUBLIC_URL', publicUrl, {
    required: 'the links in messages begin with it',
    about: 'Where clients reach this service. In development it is `http://localhost:PORT`.',
  }),
  siteUrl: variable('SITE_URL', url('http', 'https'), {
    required: 'people are sent there after a confirmation',
    about:
      'Your site, where a confirmation leads that names no `redirect_to`. In development it is `PUBLIC_URL`.',
  }),
  redirectAllowList: variable('REDIRECT_ALLOW_LIST', (given) => list(given).map(redirectRule), {
    default: '',
    about:
      'Where `redirect_to` may lead besides `SITE_URL`, separated by commas: `https://app.example.com`, `https://*.example.com`, `https://example.com/app/*`, `myapp://callback`.',
  }),
  corsOrigins: variable('CORS_ORIGINS', list, {
    default: '*',
    inProduction: '',
    about: 'Origins whose pages may call this service from a browser, separated by commas; `*` is any.',
  }),
  trustProxy: variable('TRUST_PROXY', trustedProxies, {
    default: '0',
    required:
      'without it all clients behind a proxy are one, and ten requests stop the service. Write how many proxies there are, ' +
      'TRUST_PROXY=1, or their addresses, or TRUST_PROXY=0 when clients connect directly',
    about:
      'The proxies whose `X-Forwarded-For` counts: how many there are (`0`: none), or their addresses and networks, separated by commas.',
  }),
};

const plainHttp =
  'begins with http://: links and access tokens would travel in plain text. Begin it with https://, or set ALLOW_PLAINTEXT=http';

const publicDevelopment =
  'is for other machines, and without NODE_ENV=production anybody could use what is for developers. Set NODE_ENV=production; ' +
  'or leave it at localhost; or set ALLOW_PUBLIC_DEVELOPMENT=true where only developers come';

export const addresses = new Section('Addresses', variables, {
  check({ publicUrl, siteUrl, redirectAllowList = [] }, valuesOf) {
    const process = valuesOf(service);
    if (process.production === false && process.allowPublicDevelopment === false) {
      const { host = 'localhost' } = process;
      return [
        !isThisMachine(host) && `HOST ${publicDevelopment}`,
        publicUrl !== undefined &&
          !isThisMachine(new URL(publicUrl).hostname) &&
          `PUBLIC_URL ${publicDevelopment}`,
      ];
    }
    if (!isStrict(process, 'http')) return [];
    const isPlainEntry = ({ scheme, host }: RedirectRule) =>
      scheme === 'http' && isPlainHttp(`http://${host}`);
    return [
      isPlainHttp(publicUrl) && `PUBLIC_URL ${plainHttp}`,
      isPlainHttp(siteUrl) && `SITE_URL ${plainHttp}`,
      redirectAllowList.some(isPlainEntry) && `REDIRECT_ALLOW_LIST has an entry that ${plainHttp}`,
    ];
  },
});
