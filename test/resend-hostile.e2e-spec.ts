import fc from 'fast-check';
import { confirmationTypes } from '../src/auth/messages/confirmation-type.js';
import {
  address,
  anything,
  awkwardText,
  checkAll,
  contentType,
  rareBodies,
} from './support/hostile-input.js';
import { expectSomeError } from './support/error-bodies.js';
import { type RunningApp, startApp } from './support/start-app.js';

let running: RunningApp;

beforeAll(async () => {
  running = await startApp({
    env: { LIMIT_IP: '1000000/10m', LIMIT_EMAIL: '1000000/5m', LIMIT_SMS: '1000000/5m' },
  });
});

afterAll(() => running.stop());

const right = fc.record(
  {
    type: fc.constantFrom<string>(...confirmationTypes),
    email: fc.constantFrom('user@example.com', 'USER@EXAMPLE.COM', ' other@b\u00fccher.example '),
    phone: fc.constantFrom('+1234567890', '+1 (234) 567-890'),
    options: anything,
  },
  { requiredKeys: ['type', 'email', 'phone'] },
);

const nearlyRight = fc
  .tuple(
    right,
    fc.constantFrom('type', 'email', 'phone', 'redirect_to', 'captcha_token', 'gotrue_meta_security'),
    fc.oneof(address, anything),
  )
  .map(([fields, spoilt, value]) => ({ ...fields, [spoilt]: value }));

const body = fc.oneof(
  { weight: 2, arbitrary: right.map((value) => JSON.stringify(value)) },
  { weight: 6, arbitrary: nearlyRight.map((value) => JSON.stringify(value)) },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: awkwardText },
);

describe('whatever is sent to /resend', () => {
  it('is answered as the documentation says, and never with a 500', async () => {
    const seen = new Map<number, number>();
    const check = async ([sent, type]: [body: string, contentType: string]) => {
      const response = await fetch(`${running.url}/resend`, {
        method: 'POST',
        headers: { 'Content-Type': type },
        body: sent,
      });
      const answer = (await response.json()) as Record<string, unknown>;
      seen.set(response.status, (seen.get(response.status) ?? 0) + 1);
      if (response.status === 200) {
        expect(answer).toEqual({ message_id: expect.stringMatching(/^msg_[0-9a-f]{32}$/) as string });
      } else {
        expect([400, 413, 415]).toContain(response.status);
        expectSomeError(response.status, answer);
      }
    };
    await checkAll(fc.tuple(body, contentType), 2_500, check, rareBodies);
    // The generator is worth something only when it reaches every kind of answer.
    expect([...seen.keys()].sort()).toEqual(expect.arrayContaining([200, 400, 413, 415]));
    expect(seen.get(200)).toBeGreaterThan(100);
  });
});
