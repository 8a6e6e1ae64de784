/** A mail server and what it is called in rows, figures and logs. */
export interface SmtpServer {
  readonly name: string;
  readonly url: string;
}

/**
 * Names for servers: `smtp` when there is one, else `smtp:host:port`. User names stay out, because with some vendors they
 * are the secret; so a second account at the same server is told apart by its place, `smtp:host:port#2`.
 * @param urls in order of preference
 */
export function smtpServers(urls: readonly string[]): readonly SmtpServer[] {
  const seen = new Map<string, number>();
  return urls.map((url) => {
    const place = placeOf(url);
    const count = (seen.get(place) ?? 0) + 1;
    seen.set(place, count);
    const several = `smtp:${place}${count > 1 ? `#${count}` : ''}`;
    return { url, name: urls.length > 1 ? several : 'smtp' };
  });
}

/** Host and port; the ports are those of submission (RFC 6409) and submission over TLS (RFC 8314). */
function placeOf(url: string): string {
  const { protocol, hostname, port } = new URL(url);
  return `${hostname.toLowerCase()}:${port || (protocol === 'smtps:' ? '465' : '587')}`;
}
