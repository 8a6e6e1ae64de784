import { ApiError } from '../../../api-error.js';

const maxLength = 255;

/** A String of RFC 9651 (section 3.3.3), here without the space that it may otherwise hold. */
const quoted = /^"((?:[\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;
/** Quotes, backslashes, commas and semicolons mean something in a structured field, so a bare key has none. */
const bare = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+$/;

/**
 * The key in the header `Idempotency-Key` of draft-ietf-httpapi-idempotency-key-header-07, where it is a structured
 * field String. Many clients send it without the quotes; `"k"` and `k` are the same key.
 * @returns undefined when there is no such header
 * @throws ApiError 400 `validation_failed`
 */
export function idempotencyKeyIn(headers: NodeJS.Dict<string | string[]>): string | undefined {
  const header = headers['idempotency-key'];
  if (header === undefined) return undefined;
  const key = parse(String(header).trim());
  if (key.length >= 1 && key.length <= maxLength) return key;
  throw new ApiError(
    'validation_failed',
    `Idempotency-Key must be 1 to ${maxLength} visible ASCII characters in double quotes`,
  );
}

/** The empty string when it is malformed. */
function parse(header: string): string {
  const inQuotes = quoted.exec(header)?.[1];
  if (inQuotes !== undefined) return inQuotes.replaceAll(/\\(["\\])/g, '$1');
  return bare.test(header) ? header : '';
}
