import { setTimeout } from 'node:timers/promises';

/**
 * What `look` returns once it returns something; looks every few milliseconds. For things that happen in another
 * process or behind a socket, where no event tells. The patience is for a machine that does ten other things as well; nothing waits longer than it must.
 * @throws after `withinMs`, with what was awaited
 */
export async function eventually<T>(
  awaited: string | (() => string),
  look: () => T | null | undefined | false | Promise<T | null | undefined | false>,
  withinMs = 60_000,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  while (Date.now() < deadline) {
    const seen = await look();
    if (seen !== null && seen !== undefined && seen !== false) return seen;
    await setTimeout(10);
  }
  throw new Error(`Not within ${withinMs} ms: ${typeof awaited === 'string' ? awaited : awaited()}`);
}
