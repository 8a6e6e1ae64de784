import type { CaptchaVendor } from '../../../config.js';

/** In what the vendors' answers differ. */
export interface SiteverifyVendor {
  /** What stands for a hostname that the vendor keeps to itself. */
  readonly withheldHostname?: string;
  /** Its answers always name an action and a score; without, the token is of another kind. */
  readonly alwaysScores: boolean;
  /** Its score says how likely the client is a program, and not a person. */
  readonly scoreIsRisk: boolean;
}

export const siteverifyVendors: Readonly<Record<CaptchaVendor, SiteverifyVendor>> = {
  // https://docs.hcaptcha.com/#verify-the-user-response-server-side: while a site has unusually many challenges the
  // hostname is "not-provided"; scores are for customers of the Enterprise plan.
  hcaptcha: { withheldHostname: 'not-provided', alwaysScores: false, scoreIsRisk: true },
  // https://developers.cloudflare.com/turnstile/get-started/server-side-validation/: the action is the widget's, if any.
  turnstile: { alwaysScores: false, scoreIsRisk: false },
  // https://developers.google.com/recaptcha/docs/verify
  'recaptcha-v2': { alwaysScores: false, scoreIsRisk: false },
  // https://developers.google.com/recaptcha/docs/v3#site_verify_response
  'recaptcha-v3': { alwaysScores: true, scoreIsRisk: false },
};
