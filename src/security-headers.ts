/**
 * What every answer says to a browser; a page brings a Content-Security-Policy of its own. After the OWASP HTTP Headers
 * cheat sheet. Fixed text, because computing it anew for each request costs as much as counting its limits.
 */
export function securityHeaders({ production }: { production: boolean }): Readonly<Record<string, string>> {
  return Object.freeze({
    'content-security-policy':
      "default-src 'none'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    ...(production ? { 'strict-transport-security': 'max-age=31536000; includeSubDomains' } : {}),
  });
}
