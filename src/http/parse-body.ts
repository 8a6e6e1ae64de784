import type { FastifyRequest } from 'fastify';
import { ApiError } from './api-error.js';
import { RawBody } from './raw-body.js';

/** Deeper nesting serves no field of ours or of a vendor's, and would only exhaust the stack of whoever walks it. */
const maxDepth = 16;

/** @throws ApiError 400 `bad_json` when the value nests more than sixteen levels deep, itself included */
export function refuseTooDeep(value: object): void {
  if (isTooDeep(value)) throw new ApiError('bad_json', `Nest at most ${maxDepth} levels deep`);
}

/** Goes no deeper itself than it has to, however deep the value is. */
function isTooDeep(value: object, levels = maxDepth): boolean {
  if (levels === 0) return true;
  for (const inner of Object.values(value) as unknown[]) {
    if (typeof inner === 'object' && inner !== null && isTooDeep(inner, levels - 1)) return true;
  }
  return false;
}

type Fields = Record<string, unknown>;

const json = 'application/json';
const form = 'application/x-www-form-urlencoded';

/**
 * The fields of a request's body, JSON (RFC 8259) or, where a page of ours posts it, an HTML form.
 * @throws ApiError 400 `bad_json`, 413 or 415
 */
export async function parseBody(
  request: FastifyRequest,
  { acceptForm }: { acceptForm: boolean },
): Promise<Fields> {
  const contentType = mediaType(request.headers['content-type']);
  if (!(request.body instanceof RawBody)) {
    throw new ApiError('bad_json', 'Send a JSON object in the body');
  }
  if (contentType === form && acceptForm) {
    return Object.fromEntries(new URLSearchParams(await request.body.text()));
  }
  if (contentType !== json) {
    throw new ApiError('unsupported_media_type', `Send the body as ${json}`);
  }
  return parseJsonObject(await request.body.text());
}

/** The media type, lower-cased; an empty string when a charset other than UTF-8 is declared. */
function mediaType(header = ''): string {
  const [type = '', ...parameters] = header.toLowerCase().split(';');
  const charset = parameters
    .map((parameter) => parameter.trim())
    .find((parameter) => parameter.startsWith('charset='));
  return charset === undefined || /^charset="?utf-?8"?$/.test(charset) ? type.trim() : '';
}

function parseJsonObject(text: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message quotes the body, so it goes nowhere.
    throw new ApiError('bad_json', 'Send a JSON object; this is not valid JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ApiError('bad_json', 'Send a JSON object, not an array or a single value');
  }
  refuseTooDeep(value);
  return value as Fields;
}
