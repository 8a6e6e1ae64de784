import { BlockList, isIP } from 'node:net';
import { normalizeIp } from '@nestjs/throttler';
import { ConfigurationError } from '../config/config.js';

/** The part of a Fastify request that says where it came from. */
interface Addressed {
  readonly ip: string | undefined;
  /** From the socket's address to the client's; only when a proxy is trusted. */
  readonly ips?: readonly string[] | undefined;
}

/** Whether to believe the address, which is `hop` steps away from our socket (0: the peer itself). */
type TrustProxy = (address: string, hop: number) => boolean;

/** The smallest IPv6 network that one subscriber gets (RFC 6177): whoever has it can use every address in it. */
const ipv6Prefix = 64;
const maxHops = 10;
const rule =
  'must be a number of proxies, such as 1, or their addresses and networks, such as 10.0.0.0/8,fd00::/8';

/**
 * Whom the IP limit counts: an IPv4 address, or the /64 of an IPv6 address. IPv4-mapped IPv6 is IPv4.
 * When a trusted proxy passes something on that is no address, the proxy is counted: garbage buys no new bucket.
 */
export function clientIpKey({ ip, ips }: Addressed): string {
  const address = plainAddress(ip ?? '') ?? (ips ?? []).map(plainAddress).findLast((found) => found !== null);
  return address ? normalizeIp(address, ipv6Prefix) : 'unknown';
}

/**
 * Fastify's `trustProxy` for the items of `TRUST_PROXY`: a number of hops, or addresses and networks (CIDR). The
 * client is then the rightmost address of `X-Forwarded-For` that no trusted proxy has. None: the socket's address.
 * A function, because Fastify takes a bare number of hops to trust nobody. With a number, our port must be reachable
 * by the proxies only: a client that comes directly would be taken for one of them.
 * @throws ConfigurationError
 */
export function trustProxyOption(trustProxy: readonly string[]): false | TrustProxy {
  const [first, ...others] = trustProxy;
  if (first === undefined || (first === '0' && others.length === 0)) return false;
  if (/^\d+$/.test(first)) return trustHops(Number(first), others);
  const trusted = new BlockList();
  for (const item of trustProxy) addNetwork(trusted, item);
  return (entry) => {
    const address = unmapped(entry);
    return address !== null && trusted.check(address, familyOf(address));
  };
}

function trustHops(hops: number, others: readonly string[]): TrustProxy {
  if (others.length > 0) throw malformed(`${rule}; not both`);
  if (hops < 1 || hops > maxHops) throw malformed(`counts at most ${maxHops} proxies`);
  return (_address, hop) => hop < hops;
}

function addNetwork(trusted: BlockList, item: string): void {
  const [network = '', prefix, ...rest] = item.split('/');
  const address = isIP(network) ? unmapped(network) : null;
  if (address === null || rest.length > 0) throw malformed(rule);
  if (prefix === undefined) return trusted.addAddress(address, familyOf(address));
  if (isIP(network) !== isIP(address))
    throw malformed('names an IPv4 network in IPv6 form; write it as IPv4');
  if (/^0+$/.test(prefix))
    throw malformed('would trust the whole internet: anybody could choose their address');
  const bits = isIP(address) === 6 ? 128 : 32;
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > bits) throw malformed(rule);
  trusted.addSubnet(address, Number(prefix), familyOf(address));
}

function malformed(problem: string): ConfigurationError {
  return new ConfigurationError([`TRUST_PROXY ${problem}`]);
}

/** The address alone, IPv4-mapped IPv6 as IPv4. */
function unmapped(entry: string): string | null {
  const address = plainAddress(entry);
  return address && normalizeIp(address, 128).replace(/\/128$/, '');
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
