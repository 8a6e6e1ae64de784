const firstStepMs = 500;
const longestStepMs = 60_000;

/**
 * Milliseconds until the next attempt: exponential backoff with full jitter, so that messages that failed together do
 * not come back together. The step doubles from half a second up to a minute.
 *
 * @param attempt how many attempts there have been, at least 1
 * @param random a number in [0, 1)
 */
export function retryDelayMs(attempt: number, random: number): number {
  const step = Math.min(longestStepMs, firstStepMs * 2 ** (attempt - 1));
  return Math.ceil(random * step);
}
