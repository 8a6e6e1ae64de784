import type { Provider } from '@nestjs/common';
import type { ApiError } from '../../../http/api-error.js';
import { Clock } from '../../../platform/clock.js';
import { Config } from '../../../config/config.js';
import { type CaptchaContext, CaptchaVerifier, isCaptchaUnavailable } from './captcha-verifier.js';
import { AltchaVerifier } from './altcha.verifier.js';
import { SiteverifyVerifier } from './siteverify.verifier.js';

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

/** What `CaptchaGuard` and the route of the challenges need. */
export const captchaProviders: Provider[] = [
  AltchaVerifier,
  { provide: CaptchaVerifier, inject: [Config, Clock, AltchaVerifier], useFactory: captchaVerifier },
];

/** Those that are configured; first the one that needs no request to a vendor. */
function captchaVerifier({ captcha }: Config, clock: Clock, altcha: AltchaVerifier): CaptchaVerifier {
  const vendors = captcha.vendors.map((vendor) => new SiteverifyVerifier(vendor, captcha.hostnames, clock));
  return new AnyCaptchaVerifier([...(captcha.altcha ? [altcha] : []), ...vendors]);
}
