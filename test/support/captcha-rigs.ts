import { AltchaVerifier } from '../../src/auth/accept/captcha/altcha.verifier.js';
import type { CaptchaVerifier } from '../../src/auth/accept/captcha/captcha-verifier.js';
import { SiteverifyVerifier } from '../../src/auth/accept/captcha/siteverify.verifier.js';
import { MemorySlidingLog } from '../../src/rate-limit/memory-sliding-log.storage.js';
import { type CaptchaVendor, readConfig } from '../../src/config/config.js';
import { solveAltcha } from './altcha.js';
import { testHash } from './hash.js';
import { SiteverifyServer, type Verdict } from './siteverify-server.js';
import { TestClock } from './test-clock.js';

export const vendorSecret = '0x4AAAAAAA-the-secret-of-the-site';
/** Long enough for a busy machine. */
const patientMs = 60_000;
/** Short, for the test in which the vendor never answers. */
export const impatientMs = 2_000;

const config = readConfig({
  CAPTCHA_MODE: 'always',
  SITE_URL: 'https://app.example.com/home',
  ALTCHA_COST: '1',
});

export interface CaptchaRig {
  readonly verifier: CaptchaVerifier;
  readonly clock: TestClock;
  /** The token of a captcha that somebody has just solved. */
  solve(): Promise<string>;
  stop(): Promise<void>;
}

export interface VendorRig extends CaptchaRig {
  readonly impatient: CaptchaVerifier;
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
  const settings = { name, secret: vendorSecret, url: vendor.url };
  let tokens = 0;
  const solveWith = (verdict: Verdict) => {
    const token = `03AFcWeA-${name}-${++tokens}`;
    vendor.issue(token, { challenge_ts: new Date(clock.now()).toISOString(), ...verdicts[name], ...verdict });
    return token;
  };
  return {
    verifier: new SiteverifyVerifier(settings, config.captcha, clock, patientMs),
    impatient: new SiteverifyVerifier(settings, config.captcha, clock, impatientMs),
    vendor,
    clock,
    solve: () => Promise.resolve(solveWith({})),
    solveWith,
    stop: () => vendor.stop(),
  };
}

export function altchaRig(): Promise<CaptchaRig> {
  const clock = new TestClock();
  const verifier = new AltchaVerifier(config, clock, new MemorySlidingLog(clock), testHash);
  return Promise.resolve({
    verifier,
    clock,
    solve: async () => solveAltcha(await verifier.issue()),
    stop: () => Promise.resolve(),
  });
}
