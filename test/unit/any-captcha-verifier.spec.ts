import { Logger } from '@nestjs/common';
import { AnyCaptchaVerifier } from '../../src/auth/accept/captcha/captcha.providers.js';
import { altchaRig, type CaptchaRig, vendorRig, type VendorRig } from '../support/captcha-rigs.js';

beforeAll(() => {
  jest.spyOn(Logger.prototype, 'debug').mockImplementation();
});

const context = { ip: '203.0.113.7', action: 'resend' };

describe('several captchas at once', () => {
  let altcha: CaptchaRig;
  let former: VendorRig;
  let latter: VendorRig;
  let any: AnyCaptchaVerifier;

  beforeEach(async () => {
    altcha = await altchaRig();
    [former, latter] = [await vendorRig('recaptcha-v2'), await vendorRig('turnstile')];
    any = new AnyCaptchaVerifier([altcha.verifier, former.verifier, latter.verifier]);
  });
  afterEach(() => Promise.all([former.stop(), latter.stop()]));

  it('take a token of each of them', async () => {
    for (const rig of [altcha, former, latter]) {
      expect(await any.verify(await rig.solve(), context)).toBe(true);
    }
  });

  it('refuse a token that is none of theirs', async () => {
    expect(await any.verify('made-up', context)).toBe(false);
    expect([former, latter].map(({ vendor }) => vendor.questions.length)).toEqual([1, 1]);
  });

  it('tell nobody else of a token that the first calls good', async () => {
    await any.verify(await altcha.solve(), context);
    await any.verify(await former.solve(), context);
    expect([former, latter].map(({ vendor }) => vendor.questions.length)).toEqual([1, 0]);
  });

  it('take a token of one while another is away, and cannot say of a token that may be of that one', async () => {
    const token = await latter.solve();
    await former.stop();
    expect(await any.verify(token, context)).toBe(true);
    await expect(any.verify('made-up', context)).rejects.toMatchObject({ code: 'captcha_unavailable' });
    former = await vendorRig('recaptcha-v2');
  });
});
