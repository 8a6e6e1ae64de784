/** Connections that production may be told to leave in plain text, one by one. */
export const plaintextConnections = ['postgres', 'redis', 'smtp', 'gateway', 'http'] as const;

/** Whether a host, as in a URL, is this machine: what goes there travels no network. */
export function isThisMachine(host: string): boolean {
  return /^((.+\.)?localhost|127(\.\d{1,3}){3}|\[?::1\]?|\[::ffff:7f[\da-f]{2}:[\da-f]{1,4}\])$/i.test(host);
}

/** What of the process decides on it. */
interface Strictness {
  readonly production?: boolean;
  readonly allowPlaintext?: readonly string[] | undefined;
}

/** Whether a connection of this kind must not be in plain text. */
export function isStrict(
  { production, allowPlaintext }: Strictness,
  connection: (typeof plaintextConnections)[number],
): boolean {
  return production === true && !allowPlaintext?.includes(connection);
}

/** Whether an address begins with `http://` and is not on this machine. */
export function isPlainHttp(address: string | undefined): boolean {
  if (address === undefined) return false;
  const { protocol, hostname } = new URL(address);
  return protocol === 'http:' && !isThisMachine(hostname);
}
