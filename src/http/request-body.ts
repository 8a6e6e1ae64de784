import { isUtf8 } from 'node:buffer';
import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ApiError } from './api-error.js';

/** How large a body of the public routes may be, in bytes. */
export const bodyLimit = 16 * 1024;

/** `type/subtype`, with or without parameters (RFC 9110, section 8.3.1). */
const mediaTypeSyntax = /^\s*[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+\s*(;|$)/;

/** A request's body before anybody has looked at it. */
export class RawBody {
  constructor(
    private readonly stream: Readable,
    private readonly declaredLength: string | undefined,
  ) {}

  /**
   * The body as text.
   * @throws ApiError 413 when it is larger than `limit`, 400 when it is not UTF-8 or ends early
   */
  async text(limit = bodyLimit): Promise<string> {
    const bytes = await this.bytes(limit);
    if (!isUtf8(bytes)) throw new ApiError('bad_json', 'Send the body in UTF-8');
    return bytes.toString('utf8');
  }

  /**
   * The body as it came. Read by events: an iterator over the stream costs as much as the rest of the reading.
   * @throws ApiError 413 when it is larger than `limit`, 400 when it ends early
   */
  bytes(limit: number): Promise<Buffer> {
    const { stream } = this;
    if (Number(this.declaredLength) > limit) return Promise.reject(tooLarge(limit));
    return new Promise((resolve, reject) => {
      // A client that has gone meanwhile sends no event any more.
      if (stream.destroyed) reject(new ApiError('bad_json', 'Send a complete JSON object'));
      const chunks: Buffer[] = [];
      let size = 0;
      stream.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size <= limit) {
          chunks.push(chunk);
        } else {
          // The rest is left where it is; the server throws it away with the answer.
          stream.removeAllListeners('data').pause();
          reject(tooLarge(limit));
        }
      });
      stream.on('end', () => {
        resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, size));
      });
      stream.on('close', () => {
        if (!stream.readableEnded) reject(new ApiError('bad_json', 'Send a complete JSON object'));
      });
      stream.on('error', (cause) => {
        reject(new ApiError('bad_json', 'Send a complete JSON object', { cause }));
      });
    });
  }
}

function tooLarge(limit: number): ApiError {
  return new ApiError('request_entity_too_large', `Send at most ${limit} bytes`);
}

/**
 * Leaves every body unread until a guard asks for it. Fastify would read and parse it before the first guard runs:
 * then a malformed body would be refused without costing its sender anything, and the IP limit would not hold.
 */
export function leaveBodiesUnread(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  // Fastify refuses what is no media type at all before any guard; as one that no route takes, it counts against its sender's limit.
  fastify.addHook('onRequest', (request, _reply, done) => {
    const contentType = request.headers['content-type'];
    if (contentType !== undefined && !mediaTypeSyntax.test(contentType)) {
      request.raw.headers['content-type'] = 'application/octet-stream';
    }
    done();
  });
  fastify.addContentTypeParser('*', (request, payload, done) => {
    done(null, new RawBody(payload, request.headers['content-length']));
  });
}

/** Deeper nesting serves no field of ours or of a vendor's, and would only exhaust the stack of a recursive reader. */
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
