import { STATUS_CODES } from 'node:http';

/** The closed list of `error_code`s that a client can meet, with what is constant about each. */
const catalogue = {
  validation_failed: { status: 400, msg: 'Invalid field' },
  bad_json: { status: 400, msg: 'Malformed JSON' },
  captcha_failed: { status: 400, msg: 'Captcha verification failed' },
  invalid_backend_key: { status: 401, msg: 'Invalid backend key' },
  bad_jwt: { status: 401, msg: 'Invalid access token' },
  bad_service_key: { status: 401, msg: 'Invalid service key' },
  not_authentic: { status: 403, msg: 'Signature or secret not accepted' },
  otp_expired: { status: 403, msg: 'Token has expired or is invalid' },
  not_found: { status: 404, msg: 'Not found' },
  request_timeout: { status: 408, msg: 'Request timed out' },
  message_status_conflict: { status: 409, msg: 'Not possible in this status' },
  idempotency_key_in_flight: { status: 409, msg: 'Request in progress' },
  request_entity_too_large: { status: 413, msg: 'Request body too large' },
  unsupported_media_type: { status: 415, msg: 'Unsupported media type' },
  idempotency_key_reuse: { status: 422, msg: 'Idempotency key already used' },
  request_header_fields_too_large: { status: 431, msg: 'Request headers too large' },
  over_request_rate_limit: { status: 429, msg: 'Too many requests' },
  over_email_send_rate_limit: { status: 429, msg: 'Too many requests' },
  over_sms_send_rate_limit: { status: 429, msg: 'Too many requests' },
  over_verify_limit: { status: 429, msg: 'Too many requests' },
  unexpected_failure: { status: 500, msg: 'Internal server error' },
  unavailable: { status: 503, msg: 'Service unavailable' },
  captcha_unavailable: { status: 503, msg: 'Captcha service unavailable' },
} as const satisfies Record<string, { status: number; msg: string }>;

export type ErrorCode = keyof typeof catalogue;
export const errorCodes = Object.keys(catalogue) as ErrorCode[];

interface ErrorContext {
  /** Replaces the usual `msg` of the code. */
  msg?: string;
  /** Whole seconds; become the header `Retry-After`. */
  retryAfter?: number;
  /** How many guesses are left to who names a message; a member of its own in the body. */
  attemptsLeft?: number;
  /** For the log only; never part of an answer. */
  cause?: unknown;
}

/** What a client is told (`status`, `code`, `msg`, `details`) and, apart from it, why (`cause`). */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly msg: string;
  readonly retryAfter: number | undefined;
  private readonly attemptsLeft: number | undefined;

  /** @param details one sentence that says what to do; it never repeats what the client sent */
  constructor(
    readonly code: ErrorCode,
    readonly details: string,
    { msg, retryAfter, attemptsLeft, cause }: ErrorContext = {},
  ) {
    super(`${code}: ${details}`, { cause });
    this.status = catalogue[code].status;
    this.msg = msg ?? catalogue[code].msg;
    this.retryAfter = retryAfter;
    this.attemptsLeft = attemptsLeft;
  }

  /** With 429 and 503 the seconds stand here as well: many proxies lose headers. */
  body() {
    const { status, code, msg, details, retryAfter, attemptsLeft } = this;
    const wait = (status === 429 || status === 503) && retryAfter !== undefined;
    return {
      code: status,
      error_code: code,
      msg,
      details,
      ...(wait && { retry_after: retryAfter }),
      ...(attemptsLeft !== undefined && { attempts_left: attemptsLeft }),
    };
  }

  /** RFC 9457, with the members of the usual form beside the standard ones. */
  problem() {
    return {
      type: `urn:strike-auth:error:${this.code}`,
      title: STATUS_CODES[this.status],
      status: this.status,
      detail: this.details,
      ...this.body(),
    };
  }
}

/** 429 of a limit; `seconds` until it has room again become `Retry-After`. */
export function tooManyRequests(code: Extract<ErrorCode, `over_${string}_limit`>, seconds: number): ApiError {
  const details = `Try again in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}`;
  return new ApiError(code, details, { retryAfter: seconds });
}

/** 503 of something that this service needs and cannot have now, with a `Retry-After` of five seconds. */
export function unavailable(cause?: unknown, details = 'Please try again later'): ApiError {
  return new ApiError('unavailable', details, { retryAfter: 5, cause });
}

/**
 * The result of `work`, which needs the database. When the database fails the client is told to try again;
 * if the connection broke during the commit, it is unknown whether it went through.
 * @throws ApiError what `work` meant to say to the client, or 503 `unavailable`
 */
export async function orUnavailable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof ApiError) throw cause;
    throw unavailable(cause);
  }
}
