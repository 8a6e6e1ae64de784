import { isUtf8 } from 'node:buffer';
import type { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { ApiError } from './api-error.js';

/** How large a body of the public routes may be, in bytes. */
export const bodyLimit = 16 * 1024;

/** `type/subtype`, with or without parameters (RFC 9110, section 8.3.1). */
const mediaType = /^\s*[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+\s*(;|$)/;

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
  // Fastify refuses what is no media type at all before any guard; as one that nobody takes, it costs its sender.
  fastify.addHook('onRequest', (request, _reply, done) => {
    const contentType = request.headers['content-type'];
    if (contentType !== undefined && !mediaType.test(contentType)) {
      request.raw.headers['content-type'] = 'application/octet-stream';
    }
    done();
  });
  fastify.addContentTypeParser('*', (request, payload, done) => {
    done(null, new RawBody(payload, request.headers['content-length']));
  });
}
