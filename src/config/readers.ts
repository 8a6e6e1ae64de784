import type { Reader } from './section.js';

// The message of a reader never repeats the text: what stands in the wrong variable may be a secret.

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Ten years. Beyond it lie instants that no `Date` can name. */
const longestMs = 3_650 * unitMs.d;

/** Milliseconds of a duration such as `500ms`, `30s`, `5m`, `24h` or `30d`; null when it is none, 0 or over ten years. */
export function parseDuration(text: string): number | null {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text.trim());
  if (!match) return null;
  const ms = Number(match[1]) * unitMs[match[2] as keyof typeof unitMs];
  return ms > 0 && ms <= longestMs ? ms : null;
}

/** Milliseconds. */
export function duration(text: string): number {
  const ms = parseDuration(text);
  if (ms !== null) return ms;
  throw new Error('must be a whole number with a unit, at most 3650d: 500ms, 30s, 5m, 24h or 30d');
}

/** "N in W": at no instant have more than `max` been admitted in the last `windowMs` milliseconds. */
export interface Limit {
  readonly max: number;
  readonly windowMs: number;
}

function windowIn(text: string): Limit | null {
  const [max, window, ...rest] = text.split('/');
  const windowMs = parseDuration(window ?? '');
  if (rest.length > 0 || windowMs === null || !/^[1-9]\d{0,6}$/.test(max ?? '')) return null;
  return { max: Number(max), windowMs };
}

export function limit(text: string): Limit {
  const only = windowIn(text);
  if (!only) throw new Error('must be a count and a window, such as 3/5m');
  return only;
}

/** Several windows of one limit, separated by commas; all must have room. The longest decides how long is remembered. */
export function limitInWindows(text: string): readonly Limit[] {
  const windows = text.split(',').map((window) => windowIn(window.trim()));
  const lengths = windows.map((window) => window?.windowMs);
  if (windows.every((window) => window !== null) && new Set(lengths).size === windows.length) return windows;
  throw new Error(
    'must be a count and a window, such as 3/5m, or several with commas between them: 6/5m,30/24h',
  );
}

export const text: Reader<string> = (given) => given;

export function count(min: number, max: number): Reader<number> {
  return (given) => {
    const value = Number(given);
    if (/^\d+$/.test(given) && value >= min && value <= max) return value;
    throw new Error(`must be a whole number from ${min} to ${max}`);
  };
}

export function oneOf<const T extends string>(...choices: T[]): Reader<T> {
  return (given) => {
    const found = choices.find((choice) => choice === given);
    if (found !== undefined) return found;
    throw new Error(`must be one of ${choices.join(', ')}`);
  };
}

export const flag: Reader<boolean> = (given) => oneOf('true', 'false')(given) === 'true';

const minPasswordCharacters = 16;

/** A password of HTTP, for a machine. */
export function password(given: string): string {
  if (given.length >= minPasswordCharacters && /^[\x21-\x7e]+$/.test(given)) return given;
  throw new Error(
    `must be at least ${minPasswordCharacters} printable characters without spaces: openssl rand -hex 32`,
  );
}

/** Items separated by commas. */
export function list(given: string): readonly string[] {
  return given
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** Some of the choices, separated by commas: at least one, each once. */
export function someOf<const T extends string>(...choices: T[]): Reader<readonly T[]> {
  return (given) => {
    const found = list(given).map((item) => choices.find((choice) => choice === item));
    if (found.length > 0 && found.every((choice) => choice !== undefined)) return [...new Set(found)];
    throw new Error(`must be some of ${choices.join(', ')}, separated by commas`);
  };
}

/** An absolute URL with one of the schemes, as it was written. */
export function url(...schemes: string[]): Reader<string> {
  return (given) => {
    if (isUrl(given, schemes)) return given;
    throw new Error(`must be a URL that ${urlRule(schemes)}`);
  };
}

/** Such URLs, separated by commas. A comma within one, as a password may have, separates nothing. */
export function urls(...schemes: string[]): Reader<readonly string[]> {
  const separator = new RegExp(`,(?=\\s*(?:${schemes.join('|')})://)`);
  return (given) => {
    const items = given.split(separator).map((item) => item.trim());
    // No host has a comma in it: what follows one is something else than a URL of these schemes.
    if (items.every((item) => isUrl(item, schemes) && !new URL(item).host.includes(','))) return items;
    throw new Error(`must be a URL, or several with commas between them, each of which ${urlRule(schemes)}`);
  };
}

function isUrl(given: string, schemes: readonly string[]): boolean {
  const parsed = URL.canParse(given) ? new URL(given) : null;
  return parsed !== null && schemes.includes(parsed.protocol.slice(0, -1)) && parsed.host !== '';
}

function urlRule(schemes: readonly string[]): string {
  return `names a host and begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`;
}
