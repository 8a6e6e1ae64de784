import { Logger } from '@nestjs/common';
import { ApiError } from '../../src/http/api-error.js';
import type { CaptchaVendor } from '../../src/config/config.js';
import {
  altchaRig,
  type CaptchaRig,
  shortTimeoutMs,
  vendorRig,
  type VendorRig,
  vendorSecret,
} from '../support/captcha-rigs.js';

beforeAll(() => {
  jest.spyOn(Logger.prototype, 'debug').mockImplementation();
});

const context = { ip: '203.0.113.7', action: 'resend' };
const minutes = 60_000;
const vendors: CaptchaVendor[] = ['hcaptcha', 'turnstile', 'recaptcha-v2', 'recaptcha-v3'];

describe.each<[string, () => Promise<CaptchaRig>]>([
  ...vendors.map((name): [string, () => Promise<CaptchaRig>] => [name, () => vendorRig(name)]),
  ['altcha', altchaRig],
])('%s as a captcha verifier', (_name, start) => {
  let rig: CaptchaRig;

  beforeEach(async () => {
    rig = await start();
  });
  afterEach(() => rig.stop());

  it('takes a good token', async () => {
    expect(await rig.verifier.verify(await rig.solve(), context)).toBe(true);
  });

  it('takes a token once', async () => {
    const token = await rig.solve();
    expect(await rig.verifier.verify(token, context)).toBe(true);
    expect(await rig.verifier.verify(token, context)).toBe(false);
    expect(await rig.verifier.verify(await rig.solve(), context)).toBe(true);
  });

  it('takes a token of simultaneous requests for one of them', async () => {
    const token = await rig.solve();
    const verdicts = await Promise.all(Array.from({ length: 10 }, () => rig.verifier.verify(token, context)));
    expect(verdicts.filter(Boolean)).toHaveLength(1);
  });

  it.each([
    ['somebody made up', 'made-up'],
    ['is JSON', '{"success":true}'],
    ['is nothing in base64', Buffer.from('null').toString('base64')],
    ['is a list in base64', Buffer.from('[1]').toString('base64')],
    ['is binary in base64', Buffer.alloc(300, 255).toString('base64')],
    ['would break out of a form', 'x&secret=y&response=z\r\n'],
  ])('refuses a token that %s', async (_what, token) => {
    expect(await rig.verifier.verify(token, context)).toBe(false);
  });

  it('takes a token until it is five minutes old', async () => {
    const [early, late] = [await rig.solve(), await rig.solve()];
    rig.clock.advance(5 * minutes - 1_500);
    expect(await rig.verifier.verify(early, context)).toBe(true);
    rig.clock.advance(1_501);
    expect(await rig.verifier.verify(late, context)).toBe(false);
  });
});

describe.each(vendors)('%s', (name) => {
  let rig: VendorRig;

  beforeEach(async () => {
    rig = await vendorRig(name);
  });
  afterEach(() => rig.stop());

  const verdictOn = (verdict: Record<string, unknown>) =>
    rig.verifier.verify(rig.solveWith(verdict), context);

  it('is asked with a form that holds secret, token and the address of the client', async () => {
    const token = await rig.solve();
    await rig.verifier.verify(token, context);
    expect(rig.vendor.questions).toEqual([
      {
        method: 'POST',
        contentType: 'application/x-www-form-urlencoded;charset=UTF-8',
        form: { secret: vendorSecret, response: token, remoteip: context.ip },
      },
    ]);
  });

  it.each([
    ['of another site', 'evil.example'],
    ['of a host below ours', 'app.example.com.evil.example'],
    ['of a host above ours', 'example.com'],
    ['that does not say where it was solved', undefined],
  ])('has a token refused %s', async (_what, hostname) => {
    expect(await verdictOn({ hostname })).toBe(false);
  });

  it('has a token for another action refused', async () => {
    expect(await verdictOn({ action: 'signup' })).toBe(false);
  });

  it('has a token refused whose age it does not say', async () => {
    expect(await verdictOn({ challenge_ts: undefined })).toBe(false);
    expect(await verdictOn({ challenge_ts: 'yesterday' })).toBe(false);
  });

  it('has a token refused that looks like one of a program', async () => {
    const isRisk = name === 'hcaptcha';
    expect(await verdictOn({ score: isRisk ? 0.51 : 0.49 })).toBe(false);
    expect(await verdictOn({ score: 0.5 })).toBe(true);
  });

  it.each<[what: string, misbehave: () => unknown]>([
    ['fails', () => rig.vendor.answersWith(500, 'Internal Server Error')],
    ['is overloaded', () => rig.vendor.answersWith(429, '{"success":false,"error-codes":[]}')],
    ['fails with an answer', () => rig.vendor.answersWith(503, '{"success":false,"error-codes":[]}')],
    ['answers with a page', () => rig.vendor.answersWith(200, '<html>{"success":true}</html>')],
    ['answers with an empty body', () => rig.vendor.answersWith(200, '')],
    ['answers null', () => rig.vendor.answersWith(200, 'null')],
    ['answers with something like a yes', () => rig.vendor.answersWith(200, '{"success":"true"}')],
    ['says yes to a refused question', () => rig.vendor.answersWith(400, '{"success":true}')],
    ['sends us elsewhere', () => rig.vendor.answersWith(307, '', { location: rig.vendor.url })],
    ['never stops', () => rig.vendor.answersWith(200, ' '.repeat(20_000))],
    [
      'does not know our secret',
      () => rig.vendor.answersWith(200, '{"success":false,"error-codes":["invalid-input-secret"]}'),
    ],
    [
      'has an internal error',
      () => rig.vendor.answersWith(200, '{"success":false,"error-codes":["internal-error"]}'),
    ],
    ['hangs up', () => (rig.vendor.misbehaviour = (response) => response.destroy())],
    ['is away', () => rig.vendor.stop()],
    ['never answers', () => (rig.vendor.misbehaviour = null)],
  ])(
    'makes the captcha unavailable when it %s, and the log learns neither secret nor token',
    async (what, misbehave) => {
      const token = await rig.solve();
      await misbehave();
      const verifier = what === 'never answers' ? rig.withShortTimeout : rig.verifier;
      const started = performance.now();
      const error = await failureOf(verifier.verify(token, context));
      if (what === 'never answers') expect(performance.now() - started).toBeLessThan(shortTimeoutMs * 15);
      expect(error.body()).toMatchObject({ code: 503, error_code: 'captcha_unavailable' });
      expect(error.retryAfter).toBeGreaterThan(0);
      const cause = error.cause as Error;
      const told = [error, cause, cause.cause]
        .map((each) => `${String(each)} ${JSON.stringify(each)}`)
        .join();
      expect(cause.message).toContain(name);
      expect(told).not.toContain(token);
      expect(told).not.toContain(vendorSecret);
    },
  );

  it('can refuse a token with a status of its own', async () => {
    rig.vendor.answersWith(400, '{"success":false,"error-codes":["invalid-input-response"]}');
    expect(await rig.verifier.verify('bad', context)).toBe(false);
  });
});

describe('what a vendor does not say', () => {
  const verdictOf = async (name: CaptchaVendor, verdict: Record<string, unknown>) => {
    const rig = await vendorRig(name);
    try {
      return await rig.verifier.verify(rig.solveWith(verdict), context);
    } finally {
      await rig.stop();
    }
  };

  it('is not asked for: an action of a Turnstile widget that was told none', async () => {
    expect(await verdictOf('turnstile', { action: undefined })).toBe(true);
    expect(await verdictOf('turnstile', { action: '' })).toBe(true);
  });

  it('is not asked for: the hostname that hCaptcha keeps to itself under load', async () => {
    expect(await verdictOf('hcaptcha', { hostname: 'not-provided' })).toBe(true);
    expect(await verdictOf('turnstile', { hostname: 'not-provided' })).toBe(false);
  });

  it('makes a token of reCAPTCHA v3 worthless: action and score are all there is to it', async () => {
    expect(await verdictOf('recaptcha-v3', { action: undefined })).toBe(false);
    expect(await verdictOf('recaptcha-v3', { score: undefined })).toBe(false);
  });
});

async function failureOf(verifying: Promise<boolean>): Promise<ApiError> {
  return verifying.then(
    (verdict) => {
      throw new Error(`It was decided: ${verdict}`);
    },
    (error: unknown) => {
      expect(error).toBeInstanceOf(ApiError);
      return error as ApiError;
    },
  );
}
