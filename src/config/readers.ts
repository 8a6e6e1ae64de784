import { makeValidator } from 'envalid';

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Ten years. Beyond it lie instants that no `Date` can name, and nothing that anybody means. */
const longestMs = 3_650 * unitMs.d;

const durationRule = 'a whole number with a unit, at most 3650d: 500ms, 30s, 5m, 24h or 30d';

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

// A reader's message never repeats the value: what stands in the wrong variable may be a secret.

/** "N in W": at no instant have more than `max` been admitted in the last `windowMs` milliseconds. */
export interface Limit {
  readonly max: number;
  readonly windowMs: number;
}

export const limit = makeValidator<Limit>((text) => {
  const [max, window, ...rest] = text.split('/');
  const windowMs = parseDuration(window ?? '');
  if (rest.length > 0 || windowMs === null || !/^[1-9]\d{0,6}$/.test(max ?? '')) {
    throw new Error('must be a count and a window, such as 3/5m');
  }
  return { max: Number(max), windowMs };
});

/** Milliseconds. */
export const duration = makeValidator<number>((text) => {
  const ms = parseDuration(text);
  if (ms === null) throw new Error(`must be ${durationRule}`);
  return ms;
});

export function count(min: number, max: number) {
  return makeValidator<number>((text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new Error(`must be a whole number from ${min} to ${max}`);
    }
    return value;
  });
}

export function oneOf<const T extends string>(...choices: T[]) {
  return makeValidator<T>((text) => {
    const found = choices.find((choice) => choice === text);
    if (found === undefined) throw new Error(`must be one of ${choices.join(', ')}`);
    return found;
  });
}

/** A number from 0 to 1. */
export const share = makeValidator<number>((text) => {
  const value = Number(text);
  if (!/^[\d.]+$/.test(text) || !(value >= 0 && value <= 1)) throw new Error('must be a number from 0 to 1');
  return value;
});

/** An absolute URL with one of the schemes, as it was written. */
export function url(...schemes: string[]) {
  return makeValidator<string>((text) => {
    if (!isUrl(text, schemes)) throw new Error(`must be a URL that ${urlRule(schemes)}`);
    return text;
  });
}

/** Such URLs, separated by commas. A comma within one, as a password may have, separates nothing. */
export function urls(...schemes: string[]) {
  const separator = new RegExp(`,(?=\\s*(?:${schemes.join('|')})://)`);
  return makeValidator<readonly string[]>((text) => {
    const items = text.split(separator).map((item) => item.trim());
    // No host has a comma in it: what follows one is something else than a URL of these schemes.
    if (!items.every((item) => isUrl(item, schemes) && !new URL(item).host.includes(','))) {
      throw new Error(
        `must be a URL, or several with commas between them, each of which ${urlRule(schemes)}`,
      );
    }
    return items;
  });
}

function isUrl(text: string, schemes: readonly string[]): boolean {
  const parsed = URL.canParse(text) ? new URL(text) : null;
  return parsed !== null && schemes.includes(parsed.protocol.slice(0, -1)) && parsed.host !== '';
}

function urlRule(schemes: readonly string[]): string {
  return `names a host and begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`;
}

/** Items separated by commas. */
export const list = makeValidator<readonly string[]>(itemsOf);

/** Some of the choices, separated by commas. */
export function listOf<const T extends string>(...choices: T[]) {
  return makeValidator<readonly T[]>((text) =>
    itemsOf(text).map((item) => {
      const found = choices.find((choice) => choice === item);
      if (found === undefined) throw new Error(`must be some of ${choices.join(', ')}`);
      return found;
    }),
  );
}

function itemsOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

export const flag = oneOf('true', 'false');

/** Whether what is sent to the address can be read by its owner only: over TLS, or on this machine. */
export function isConfidential(address = 'https://localhost'): boolean {
  const { protocol, hostname } = new URL(address);
  return protocol === 'https:' || ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
}
