/** Characters of the JSON text. */
const maxLength = 8_192;

export const userMetadataRule = `must be a JSON object of at most ${maxLength} characters, without NUL characters or lone surrogates`;

/** What can be kept as `jsonb` and given back unchanged. How deep it may nest is checked where the body is parsed. */
export function isUserMetadata(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return JSON.stringify(value).length <= maxLength && isStorable(value);
}

function isStorable(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed() && !value.includes('\0');
  // JSON has no such number, but a reader makes it of 1e999.
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([name, inner]) => isStorable(name) && isStorable(inner));
}
