import { AltchaVerifier } from '../../src/auth/accept/captcha/altcha.verifier.js';
import type { TestingModuleBuilder } from '@nestjs/testing';
import { AnyCaptchaVerifier } from '../../src/auth/accept/captcha/captcha.providers.js';
import { CaptchaVerifier } from '../../src/auth/accept/captcha/captcha-verifier.js';
import { SiteverifyVerifier } from '../../src/auth/accept/captcha/siteverify.verifier.js';
import { MemorySlidingLog } from '../../src/rate-limit/memory-sliding-log.storage.js';
import { Config, type CaptchaVendor } from '../../src/config/config.js';
import { Clock } from '../../src/platform/clock.js';
import { KeyedHash } from '../../src/platform/keyed-hash.js';
import { SlidingLogStorage } from '../../src/rate-limit/sliding-log.storage.js';
import { solveAltcha } from './altcha.js';
import { testHash } from './hash.js';
import { SiteverifyServer, type Verdict } from './siteverify-server.js';
import { TestClock } from './test-clock.js';

export const vendorSecret = '0x4AAAAAAA-the-secret-of-the-site';
/** Long enough for a busy machine. */
const timeoutMs = 60_000;
/** Short, for the test in which the vendor never answers. */
export const shortTimeoutMs = 2_000;

const hostnames = ['app.example.com'];

export interface CaptchaRig {
  readonly verifier: CaptchaVerifier;
  readonly clock: TestClock;
  /** The token of a captcha that somebody has just solved. */
  solve(): Promise<string>;
  stop(): Promise<void>;
}

export interface VendorRig extends CaptchaRig {
  readonly withShortTimeout: CaptchaVerifier;
  readonly vendor: SiteverifyServer;
  /** A token of which the vendor says this, besides what it usually says. */
  solveWith(verdict: Verdict): string;
}

/** What each vendor says of a good token for the action `resend`. */
const verdicts: Readonly<Record<CaptchaVendor, Verdict>> = {
  hcaptcha: { hostname: 'app.example.com', credit: false },
  turnstile: { hostname: 'app.example.com', action: 'resend', cdata: '', metadata: { interactive: false } },
  'recaptcha-v2': { hostname: 'app.example.com' },
  'recaptcha-v3': { hostname: 'app.example.com', action: 'resend', score: 0.9 },
};

export async function vendorRig(name: CaptchaVendor): Promise<VendorRig> {
  const vendor = await SiteverifyServer.start(vendorSecret);
  const clock = new TestClock();
  const settings = { name, secret: vendorSecret };
  let tokens = 0;
  const solveWith = (verdict: Verdict) => {
    const token = `03AFcWeA-${name}-${++tokens}`;
    vendor.issue(token, { challenge_ts: new Date(clock.now()).toISOString(), ...verdicts[name], ...verdict });
    return token;
  };
  return {
    verifier: new SiteverifyVerifier(settings, hostnames, clock, timeoutMs, vendor.url),
    withShortTimeout: new SiteverifyVerifier(settings, hostnames, clock, shortTimeoutMs, vendor.url),
    vendor,
    clock,
    solve: () => Promise.resolve(solveWith({})),
    solveWith,
    stop: () => vendor.stop(),
  };
}

export function altchaRig(): Promise<CaptchaRig> {
  const clock = new TestClock();
  const verifier = new AltchaVerifier(clock, new MemorySlidingLog(clock), testHash, 1);
  return Promise.resolve({
    verifier,
    clock,
    solve: async () => solveAltcha(await verifier.issue()),
    stop: () => Promise.resolve(),
  });
}

/** For `startApp`: the service asks this server instead of the vendor, and ALTCHA is cheap. */
export function captchaAt(url: string) {
  return (module: TestingModuleBuilder) =>
    module
      .overrideProvider(AltchaVerifier)
      .useFactory({
        inject: [Clock, SlidingLogStorage, KeyedHash],
        factory: (clock: Clock, storage: SlidingLogStorage, hash: KeyedHash) =>
          new AltchaVerifier(clock, storage, hash, 1),
      })
      .overrideProvider(CaptchaVerifier)
      .useFactory({
        inject: [Config, Clock, AltchaVerifier],
        factory: ({ captcha }: Config, clock: Clock, altcha: AltchaVerifier) =>
          new AnyCaptchaVerifier([
            ...(captcha.altcha ? [altcha] : []),
            ...captcha.vendors.map(
              (vendor) => new SiteverifyVerifier(vendor, captcha.hostnames, clock, undefined, url),
            ),
          ]),
      });
}
