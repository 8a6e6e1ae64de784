/** Code points. The upper end only keeps the work of normalising within bounds. */
const minLength = 8;
const maxLength = 256;

export const passwordRule = `must be ${minLength} to ${maxLength} characters`;

/**
 * Length is the only rule, counted in Unicode code points (NIST SP 800-63B, on passwords: no rules of composition,
 * spaces and any character allowed). Lone surrogates are no characters: all of them would be hashed alike.
 */
export function isPassword(value: unknown): boolean {
  // Before counting: a code point is at most two of the units that `length` counts.
  if (typeof value !== 'string' || value.length > 2 * maxLength || !value.isWellFormed()) return false;
  const { length } = [...value];
  return length >= minLength && length <= maxLength;
}
