import type { IncomingHttpHeaders } from 'node:http';

/**
 * Whether a form comes from a page of ours (CSRF; Fetch Metadata, section 2.4). `Sec-Fetch-Site` is the browser's own word
 * and decides where there is one; `none` is a person and no page. Older browsers name the page in `Origin` or `Referer`.
 * Who sends none of them is no browser that another site could make use of.
 * @param publicUrl where our pages are
 */
export function isFromOwnOrigin(headers: IncomingHttpHeaders, publicUrl: string): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  const source = headers.origin ?? headers.referer;
  return source === undefined || originOf(source) === new URL(publicUrl).origin;
}

/** Null when it is none, as in `Origin: null`. */
function originOf(url: string): string | null {
  return URL.canParse(url) ? new URL(url).origin : null;
}
