import { ApiError } from '../src/http/api-error.js';
import { CaptchaVerifier } from '../src/auth/accept/captcha/captcha-verifier.js';
import { type RunningApp, startApp } from './support/start-app.js';

/** Knows one good token, and cannot say anything of another. */
class OneTokenVerifier extends CaptchaVerifier {
  verify(token: string): Promise<boolean> {
    if (token === 'nobody-can-say') {
      throw new ApiError('captcha_unavailable', 'Please try again later', { retryAfter: 5 });
    }
    return Promise.resolve(token === 'good');
  }
}

let running: RunningApp;

beforeAll(async () => {
  running = await startApp({
    env: { LIMIT_IP: '1000/10m', CAPTCHA_MODE: 'always' },
    override: (module) => module.overrideProvider(CaptchaVerifier).useValue(new OneTokenVerifier()),
  });
});

afterAll(() => running.stop());

const resend = (fields: object) =>
  running.http.post('/resend').send({ type: 'signup', email: 'user@example.com', ...fields });

describe('a route behind a captcha', () => {
  it.each([
    ['no token', {}],
    ['a bad token', { captcha_token: 'bad' }],
    ['an empty token', { captcha_token: '' }],
  ])('refuses a request with %s, at no cost to the identifier', async (_what, fields) => {
    for (let i = 0; i < 4; i++) {
      const response = await resend(fields).expect(400);
      expect(response.body).toMatchObject({
        code: 400,
        error_code: 'captcha_failed',
        msg: 'Captcha verification failed',
      });
      expect(response.headers['ratelimit-policy']).not.toContain('email');
    }
  });

  it('lets a good token through, wherever it stands', async () => {
    await resend({ captcha_token: 'good' }).expect(200);
    await resend({ gotrue_meta_security: { captcha_token: 'good' } }).expect(200);
  });

  it('needs no captcha for the retry of an accepted request, whose token has been used', async () => {
    const verify = jest.spyOn(running.app.get(CaptchaVerifier), 'verify');
    const retry = (fields: object) => resend(fields).set('Idempotency-Key', '"retried"').expect(200);
    const first = await retry({ captcha_token: 'good' });
    for (const fields of [{ captcha_token: 'good' }, { captcha_token: 'bad' }, {}]) {
      const { headers, body } = await retry(fields);
      expect(headers['idempotency-replayed']).toBe('true');
      expect(body).toEqual(first.body);
    }
    expect(verify).toHaveBeenCalledTimes(1);
  });

  it('answers 503, with a time to come back, when nobody can say', async () => {
    const response = await resend({ captcha_token: 'nobody-can-say' }).expect(503);
    expect(response.body).toMatchObject({ code: 503, error_code: 'captcha_unavailable' });
    expect(response.headers['retry-after']).toBe('5');
  });

  it('validates first: what is malformed is not worth a captcha', async () => {
    const response = await resend({ email: 'nonsense', captcha_token: 'nobody-can-say' }).expect(400);
    expect(response.body).toMatchObject({ error_code: 'validation_failed' });
  });
});
