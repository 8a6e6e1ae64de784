import { Reflector } from '@nestjs/core';
import { ApiError } from '../../../http/api-error.js';

/** Who sends a token, and for what. */
export interface CaptchaContext {
  /** The client's IP address. */
  readonly ip: string;
  /** What the widget must have been told that it is for: `resend` or `signup`. */
  readonly action: string;
}

/** How old a solved captcha may be, and how long a challenge of ALTCHA is good. */
export const captchaMaxAgeMs = 5 * 60_000;

/** A service that tells people from programs. */
export abstract class CaptchaVerifier {
  /**
   * Whether the token is good. A token is good once.
   * @throws ApiError 503 `captcha_unavailable` when no verifier can say
   */
  abstract verify(token: string, context: CaptchaContext): Promise<boolean>;
}

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

/** Marks a route that takes a captcha, with the action that its widget is told: `resend` or `signup`. */
export const CaptchaAction = Reflector.createDecorator<string>();
