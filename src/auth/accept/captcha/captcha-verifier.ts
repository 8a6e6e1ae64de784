/** Who sends a token, and for what. */
export interface CaptchaContext {
  /** The client's IP address. */
  readonly ip: string;
  /** What the widget must have been told that it is for: `resend` or `signup`. */
  readonly action: string;
}

/** A service that tells people from programs. */
export abstract class CaptchaVerifier {
  /**
   * Whether the token is good. A token is good once.
   * @throws ApiError 503 `captcha_unavailable` when nobody can say
   */
  abstract verify(token: string, context: CaptchaContext): Promise<boolean>;
}
