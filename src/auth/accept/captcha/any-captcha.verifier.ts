import type { ApiError } from '../../../api-error.js';
import { type CaptchaContext, CaptchaVerifier } from './captcha-verifier.js';
import { isCaptchaUnavailable } from './captcha-unavailable.js';

/**
 * Takes the tokens of several services, so that a site can move from one to another. No token says reliably whose it
 * is, so they are asked one after another until one calls it good.
 */
export class AnyCaptchaVerifier extends CaptchaVerifier {
  constructor(private readonly verifiers: readonly CaptchaVerifier[]) {
    super();
  }

  override async verify(token: string, context: CaptchaContext): Promise<boolean> {
    let outage: ApiError | undefined;
    for (const verifier of this.verifiers) {
      try {
        if (await verifier.verify(token, context)) return true;
      } catch (error) {
        if (!isCaptchaUnavailable(error)) throw error;
        outage = error;
      }
    }
    // The token may be of the one that is away.
    if (outage) throw outage;
    return false;
  }
}
