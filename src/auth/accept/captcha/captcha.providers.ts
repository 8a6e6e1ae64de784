import type { Provider } from '@nestjs/common';
import { Clock } from '../../../clock.js';
import { Config } from '../../../config.js';
import { AltchaVerifier } from './altcha.verifier.js';
import { AnyCaptchaVerifier } from './any-captcha.verifier.js';
import { CaptchaVerifier } from './captcha-verifier.js';
import { SiteverifyVerifier } from './siteverify.verifier.js';

/** What `CaptchaGuard` and the route of the challenges need. */
export const captchaProviders: Provider[] = [
  AltchaVerifier,
  { provide: CaptchaVerifier, inject: [Config, Clock, AltchaVerifier], useFactory: captchaVerifier },
];

/** Those that are configured; first the one that asks nobody. */
function captchaVerifier({ captcha }: Config, clock: Clock, altcha: AltchaVerifier): CaptchaVerifier {
  const vendors = captcha.vendors.map((vendor) => new SiteverifyVerifier(vendor, captcha, clock));
  return new AnyCaptchaVerifier([...(captcha.altcha ? [altcha] : []), ...vendors]);
}
