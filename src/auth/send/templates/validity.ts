const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/**
 * A duration as people say it, rounded down: `10 minutes`, `24 hours`, `7 days`. A secret that was made a moment ago
 * still has its whole life; up to five seconds are forgiven.
 */
export function inWords(exactMs: number): string {
  const ms = exactMs + Math.min(5_000, exactMs / 100);
  if (ms >= 2 * dayMs) return counted(ms / dayMs, 'day');
  if (ms >= 2 * hourMs) return counted(ms / hourMs, 'hour');
  if (ms >= hourMs && ms < hourMs + minuteMs) return counted(1, 'hour');
  if (ms >= minuteMs) return counted(ms / minuteMs, 'minute');
  return counted(Math.max(ms, 1_000) / 1_000, 'second');
}

function counted(amount: number, unit: string): string {
  const whole = Math.floor(amount);
  return `${whole} ${unit}${whole === 1 ? '' : 's'}`;
}
