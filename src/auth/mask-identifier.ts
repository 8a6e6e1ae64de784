/**
 * An address as logs show it: `u***@example.com`, `+1*****7890`. Enough to recognise one's own, too little to write to.
 */
export function maskIdentifier(identifier: string): string {
  const at = identifier.lastIndexOf('@');
  if (at > 0) return `${identifier.slice(0, 1)}***${identifier.slice(at)}`;
  return `${identifier.slice(0, 2)}*****${identifier.length > 8 ? identifier.slice(-4) : ''}`;
}
