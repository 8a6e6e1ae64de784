import { errorCodes } from '../../src/http/api-error.js';

/** The errors, word for word. What varies is given by the test. */
export const errorBodies = {
  typeMissing: {
    code: 400,
    error_code: 'validation_failed',
    msg: 'Missing required field',
    details: 'Type is required',
  },
  emailMissing: {
    code: 400,
    error_code: 'validation_failed',
    msg: 'Missing required field',
    details: 'Email is required for email confirmations',
  },
  phoneMissing: {
    code: 400,
    error_code: 'validation_failed',
    msg: 'Missing required field',
    details: 'Phone number is required for SMS confirmations',
  },
  invalidField: (details: unknown) => ({
    code: 400,
    error_code: 'validation_failed',
    msg: 'Invalid field',
    details,
  }),
  badJson: {
    code: 400,
    error_code: 'bad_json',
    msg: 'Malformed JSON',
    details: expect.any(String) as string,
  },
  unsupportedMediaType: {
    code: 415,
    error_code: 'unsupported_media_type',
    msg: 'Unsupported media type',
    details: 'Send the body as application/json',
  },
  tooLarge: {
    code: 413,
    error_code: 'request_entity_too_large',
    msg: 'Request body too large',
    details: 'Send at most 16384 bytes',
  },
  tooManyRequests: (errorCode: string, seconds: number) => ({
    code: 429,
    error_code: errorCode,
    msg: 'Too many requests',
    details: `Try again in ${seconds} seconds`,
    retry_after: seconds,
  }),
  idempotencyKeyInFlight: {
    code: 409,
    error_code: 'idempotency_key_in_flight',
    msg: 'Request in progress',
    details: 'Try again when the first request has been answered',
  },
  idempotencyKeyReused: {
    code: 422,
    error_code: 'idempotency_key_reuse',
    msg: 'Idempotency key already used',
    details: 'Send another request with another Idempotency-Key',
  },
  unavailable: {
    code: 503,
    error_code: 'unavailable',
    msg: 'Service unavailable',
    details: 'Please try again later',
    retry_after: 5,
  },
  unexpected: {
    code: 500,
    error_code: 'unexpected_failure',
    msg: 'Internal server error',
    details: 'Please try again later',
  },
  notFound: {
    code: 404,
    error_code: 'not_found',
    msg: 'Not found',
    details: 'See /docs for what there is',
  },
  badServiceKey: {
    code: 401,
    error_code: 'bad_service_key',
    msg: 'Invalid service key',
    details: 'Send the service key as Authorization: Bearer',
  },
  statusConflict: (details: string) => ({
    code: 409,
    error_code: 'message_status_conflict',
    msg: 'Not possible in this status',
    details,
  }),
  noSuchMessage: {
    code: 404,
    error_code: 'not_found',
    msg: 'Not found',
    details: 'There is no such message, or no longer',
  },
  notListed: {
    code: 404,
    error_code: 'not_found',
    msg: 'Not found',
    details: 'It is not on the suppression list',
  },
  expired: {
    code: 403,
    error_code: 'otp_expired',
    msg: 'Token has expired or is invalid',
    details: expect.any(String) as string,
  },
} as const;

/** The form that every error has, whichever it is. */
export function expectSomeError(status: number, answer: Record<string, unknown>): void {
  expect(answer).toEqual({
    code: status,
    error_code: expect.any(String) as string,
    msg: expect.any(String) as string,
    details: expect.any(String) as string,
    ...((status === 429 || status === 503) && { retry_after: expect.any(Number) as number }),
  });
  expect(errorCodes).toContain(answer['error_code']);
}
