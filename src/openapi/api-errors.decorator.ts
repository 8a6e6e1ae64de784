import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import { ApiError, type ErrorCode } from '../http/api-error.js';
import { ErrorResponse, type Headers, ProblemResponse, refToHeader } from './components.js';

type Example = readonly [code: ErrorCode, details: string, msg?: string];
type Examples = Readonly<Record<string, Example>>;

/** Errors of a body as a whole, before its fields are validated. */
export const bodyErrors = {
  malformed_json: ['bad_json', 'Send a JSON object; this is not valid JSON'],
  body_too_large: ['request_entity_too_large', 'Send at most 16384 bytes'],
  unsupported_media_type: ['unsupported_media_type', 'Send the body as application/json'],
} as const satisfies Examples;

/** The limits of a route that takes an address. */
export const limitErrors = {
  over_request_rate_limit: ['over_request_rate_limit', 'Try again in 413 seconds'],
  over_email_send_rate_limit: ['over_email_send_rate_limit', 'Try again in 213 seconds'],
  over_sms_send_rate_limit: ['over_sms_send_rate_limit', 'Try again in 217 seconds'],
} as const satisfies Examples;

export const captchaErrors = {
  captcha_failed: ['captcha_failed', 'Solve the captcha and send its token as captcha_token'],
  captcha_unavailable: ['captcha_unavailable', 'Please try again later'],
} as const satisfies Examples;

export const unavailableError = {
  unavailable: ['unavailable', 'Please try again later'],
} as const satisfies Examples;

/** Where a site's own server may call for its visitors. */
export const backendErrors = {
  invalid_backend_key: [
    'invalid_backend_key',
    'Send one of BACKEND_KEYS as X-Backend-Key, or no such header',
  ],
  invalid_client_ip: [
    'validation_failed',
    'X-Client-IP must be one IPv4 or IPv6 address',
    'Malformed request',
  ],
} as const satisfies Examples;

/** Those of a route that asks for a message, besides its own. */
export const messageErrors = { ...backendErrors, ...bodyErrors, ...limitErrors, ...unavailableError };

const unexpectedError = {
  unexpected: ['unexpected_failure', 'Please try again later'],
} as const satisfies Examples;

type Content = Readonly<Record<string, object>>;

interface NamedError {
  readonly name: string;
  readonly error: ApiError;
}

/**
 * Documents the errors of a route by examples. Those of one status share one response, which takes no other code.
 * @param headers what the route sends with each of its answers
 * @param page what a browser gets instead, where people come
 */
export function ApiErrors(examples: Examples, headers: Headers = {}, page: Content = {}) {
  const all = Object.entries({ ...examples, ...unexpectedError } as Examples).map(
    ([name, [code, details, msg]]) => ({
      name,
      error: exampleOf(code, details, msg),
    }),
  );
  const statuses = [...new Set(all.map(({ error }) => error.status))];
  return applyDecorators(
    ApiExtraModels(ErrorResponse, ProblemResponse),
    ...statuses.map((status) =>
      responseOf(
        status,
        all.filter(({ error }) => error.status === status),
        headers,
        page,
      ),
    ),
  );
}

function responseOf(status: number, errors: readonly NamedError[], headers: Headers, page: Content) {
  return ApiResponse({
    status,
    description: [...new Set(errors.map(({ error }) => error.msg))].join(' · '),
    headers: {
      ...headers,
      ...(status === 401 ? refToHeader('WWW-Authenticate') : {}),
      ...(errors.every(({ error }) => saysWhen(error)) ? refToHeader('Retry-After') : {}),
    },
    content: {
      'application/json': {
        schema: narrowed(getSchemaPath(ErrorResponse), status, errors),
        examples: examplesOf(errors, (error) => error.body()),
      },
      'application/problem+json': {
        schema: narrowed(getSchemaPath(ProblemResponse), status, errors),
        examples: examplesOf(errors, (error) => error.problem()),
      },
      ...page,
    },
  });
}

/** The seconds that its sentence names, else those that `unavailable` asks for. */
function exampleOf(code: ErrorCode, details: string, msg?: string): ApiError {
  const retryAfter = Number(/\d+(?= seconds)/.exec(details)?.[0] ?? 5);
  return new ApiError(code, details, { retryAfter, ...(msg !== undefined && { msg }) });
}

/** Whether the client is told when to try again. */
function saysWhen({ status, code }: ApiError): boolean {
  return status === 429 || status === 503 || code === 'idempotency_key_in_flight';
}

/** The general shape, with the status and the codes that this very response can have. */
function narrowed($ref: string, status: number, errors: readonly NamedError[]) {
  const codes = [...new Set(errors.map(({ error }) => error.code))];
  return {
    type: 'object',
    allOf: [{ $ref }],
    properties: { code: { enum: [status] }, error_code: { enum: codes } },
    ...((status === 429 || status === 503) && { required: ['retry_after'] }),
  };
}

function examplesOf(errors: readonly NamedError[], value: (error: ApiError) => object) {
  return Object.fromEntries(
    errors.map(({ name, error }) => [name, { summary: error.details, value: value(error) }]),
  );
}
