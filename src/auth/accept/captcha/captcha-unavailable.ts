import { ApiError } from '../../../api-error.js';

/** Seconds after which a client may try again. */
const retryAfter = 5;

/** @param reason for the log: it names neither secret nor token */
export function captchaUnavailable(reason: string, cause?: unknown): ApiError {
  return new ApiError('captcha_unavailable', 'Please try again later', {
    retryAfter,
    cause: new Error(reason, { cause }),
  });
}

export function isCaptchaUnavailable(error: unknown): error is ApiError {
  return error instanceof ApiError && error.code === 'captcha_unavailable';
}
