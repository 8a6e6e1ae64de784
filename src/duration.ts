const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Ten years. Beyond it lie instants that no `Date` can name, and nothing that anybody means. */
const longestMs = 3_650 * unitMs.d;

export const durationRule = 'a whole number with a unit, at most 3650d: 500ms, 30s, 5m, 24h or 30d';

/**
 * Milliseconds of a duration such as `500ms`, `30s`, `5m`, `24h` or `30d`; null when the text is not one, when it
 * is nothing or longer than ten years.
 */
export function parseDuration(text: string): number | null {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text.trim());
  if (!match) return null;
  const ms = Number(match[1]) * unitMs[match[2] as keyof typeof unitMs];
  return ms > 0 && ms <= longestMs ? ms : null;
}
