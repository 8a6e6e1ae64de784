import type { Socket } from 'node:net';
import { STATUS_CODES } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from './api-error.js';

/** How many header lines a request may have; browsers send about twenty, and proxies add a handful. */
export const maxHeaderLines = 100;
/** Of all header lines together, in bytes. */
export const maxHeaderSize = 16 * 1024;

type Headers = Readonly<Record<string, string>>;

export function tooManyHeaders(): ApiError {
  const rule = `Send at most ${maxHeaderLines} header lines of ${maxHeaderSize} bytes together`;
  return new ApiError('request_header_fields_too_large', rule);
}

/**
 * Answers on a connection from which no request came out: too slow, too large a head, or no HTTP at all. Nobody else
 * sees such a connection, so the answer is written by hand.
 * @param headers what every answer says
 */
export function refuseConnection(headers: Headers) {
  return (cause: Error & { code?: string }, socket: Socket): void => {
    if (cause.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const error = whatWasWrong(cause);
    const body = JSON.stringify(error.body());
    const lines = Object.entries({
      ...headers,
      'content-type': 'application/json; charset=utf-8',
      'content-length': String(Buffer.byteLength(body)),
      connection: 'close',
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    const head = `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? ''}\r\n${lines.join('')}\r\n`;
    socket.end(head + body, () => socket.destroy());
  };
}

/** Answers a request that no route can be found for, because its address is malformed. */
export function refuseAddress(headers: Headers) {
  return (_cause: Error, request: FastifyRequest, reply: FastifyReply): void => {
    const error = malformed();
    reply.status(error.status).headers(headers).header('x-request-id', request.id);
    reply.header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(error.body()));
  };
}

function whatWasWrong({ code }: { code?: string }): ApiError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new ApiError('request_timeout', 'Send the request faster');
  return code === 'HPE_HEADER_OVERFLOW' ? tooManyHeaders() : malformed();
}

function malformed(): ApiError {
  return new ApiError('validation_failed', 'The request is malformed', { msg: 'Malformed request' });
}
