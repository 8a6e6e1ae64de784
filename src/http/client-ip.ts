import type { IncomingHttpHeaders } from 'node:http';
import { BlockList, isIP } from 'node:net';
import { normalizeIp } from '@nestjs/throttler';
import { isSecret } from '../platform/constant-time.js';
import { ApiError } from './api-error.js';
import { type TrustedProxies, unmapped } from '../config/addresses.config.js';

/** The part of a Fastify request that says where it came from. */
interface Addressed {
  readonly ip: string | undefined;
  /** From the socket's address to the client's; only when a proxy is trusted. */
  readonly ips?: readonly string[] | undefined;
}

/** A site's own server that calls for its visitors. */
export interface Backend {
  /** The one that it showed, of `BACKEND_KEYS`. */
  readonly key: string;
  /** The address of the person it calls for; null when it calls on its own account. */
  readonly visitor: string | null;
}

/** Whether to believe the address, which is `hop` steps away from our socket (0: the peer itself). */
type TrustProxy = (address: string, hop: number) => boolean;

/** The smallest IPv6 network that one subscriber gets (RFC 6177): its subscriber can use every address in it. */
const ipv6Prefix = 64;

/**
 * Whom the IP limit counts: an IPv4 address, or the /64 of an IPv6 address. IPv4-mapped IPv6 is IPv4.
 * When a trusted proxy passes something on that is no address, the proxy is counted: garbage buys no new bucket.
 */
export function clientIpKey({ ip, ips }: Addressed): string {
  const address = plainAddress(ip ?? '') ?? (ips ?? []).map(plainAddress).findLast((found) => found !== null);
  return address ? normalizeIp(address, ipv6Prefix) : 'unknown';
}

/**
 * The server that sends `X-Backend-Key`, and whom it calls for, from `X-Client-IP`. Without a key `X-Client-IP` is ignored:
 * anybody could write one.
 * @throws ApiError 401 `invalid_backend_key` when the key is none of ours, 400 when the visitor's address is malformed
 */
export function backendIn(headers: IncomingHttpHeaders, keys: readonly string[]): Backend | undefined {
  if (headers['x-backend-key'] === undefined) return undefined;
  const key = String(headers['x-backend-key']);
  if (!isSecret(key, ...keys))
    throw new ApiError('invalid_backend_key', 'Send one of BACKEND_KEYS as X-Backend-Key, or no such header');
  const given = headers['x-client-ip'];
  const visitor = given === undefined ? null : plainAddress(String(given));
  if (given !== undefined && visitor === null)
    throw new ApiError('validation_failed', 'X-Client-IP must be one IPv4 or IPv6 address', {
      msg: 'Malformed request',
    });
  return { key, visitor };
}

/**
 * The /48 around a client of IPv6: what a site gets (RFC 6177), and a tunnel broker gives to anybody, with 65,536 clients in
 * it. Null for IPv4.
 * @param client see `clientIpKey`
 */
export function networkAround(client: string): string | null {
  const [address = '', prefix] = client.split('/');
  return prefix === String(ipv6Prefix) ? normalizeIp(address, 48) : null;
}

/**
 * Fastify's `trustProxy`. The client is then the rightmost address of `X-Forwarded-For` that no trusted proxy has.
 * A function, because Fastify trusts no proxy when it is given a bare number of hops. With a number, our port must be reachable
 * by the proxies only: a client that comes directly would be taken for one of them.
 */
export function trustProxyOption({ hops, networks }: TrustedProxies): false | TrustProxy {
  if (hops > 0) return (_address, hop) => hop < hops;
  if (networks.length === 0) return false;
  const trusted = new BlockList();
  for (const { address, prefix } of networks) trusted.addSubnet(address, prefix, familyOf(address));
  return (entry) => {
    const address = plainAddress(entry);
    return address !== null && trusted.check(unmapped(address), familyOf(unmapped(address)));
  };
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}

/**
 * The bare address in one entry of `X-Forwarded-For`: without the port that some proxies add, the brackets and the
 * zone. Null when it is none.
 */
function plainAddress(entry: string): string | null {
  const text = entry.trim();
  const inBrackets = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1];
  const ipv4 = /^([\d.]+)(?::\d+)?$/.exec(text)?.[1];
  const address = (inBrackets ?? ipv4 ?? text).replace(/%.*$/, '');
  return isIP(address) ? address : null;
}
