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

type Fields = Record<string, unknown>;

/** Bodies that are right but for one field, any JSON, and what is no JSON. */
const bodiesLike = (right: fc.Arbitrary<Fields>, ...spoilt: string[]) =>
  fc.oneof(
    { weight: 1, arbitrary: right.map((fields) => JSON.stringify(fields)) },
    {
      weight: 8,
      arbitrary: fc
        .tuple(right, fc.constantFrom(...spoilt), fc.oneof(address, anything))
        .map(([fields, name, value]) => JSON.stringify({ ...fields, [name]: value })),
    },
    { weight: 1, arbitrary: fc.json() },
    { weight: 1, arbitrary: awkwardText },
  );

const verification = fc.record<Fields>(
  {
    type: fc.constantFrom(...confirmationTypes),
    token: fc.oneof(fc.constantFrom('123456', '\uff11\uff12\uff13456', 'A'.repeat(43)), awkwardText),
    token_hash: fc.constantFrom('A'.repeat(43)),
    email: address,
    phone: fc.constantFrom('+1234567890'),
  },
  { requiredKeys: ['type', 'token'] },
);

const signUp = fc.record<Fields>(
  {
    email: fc.emailAddress(),
    password: fc.constantFrom('correct horse battery', 'short', '\ud83e\udd89'.repeat(8)),
    data: fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 3 }),
    redirect_to: fc.constantFrom('https://evil.example', '//x', 'http://localhost:0/'),
  },
  { requiredKeys: ['email', 'password'] },
);

interface Seen {
  readonly status: number;
  readonly answer: Fields;
}

/** What the service answers to each of many generated bodies, checked as far as every route's answers are alike. */
async function bombard(path: string, bodies: fc.Arbitrary<string>, runs: number): Promise<Seen[]> {
  const seen: Seen[] = [];
  const check = async ([body, type]: [body: string, contentType: string]) => {
    const headers = { 'Content-Type': type };
    const response = await fetch(running.url + path, { method: 'POST', headers, body });
    const answer = (await response.json()) as Fields;
    seen.push({ status: response.status, answer });
    expect([200, 400, 403, 413, 415, 429]).toContain(response.status);
    if (response.status === 200) return;
    expectSomeError(response.status, answer);
  };
  await checkAll(fc.tuple(bodies, contentType), runs, check, rareBodies);
  return seen;
}

const statusesOf = (seen: readonly Seen[]) => [...new Set(seen.map(({ status }) => status))].sort();

it('answers whatever is sent to /verify as the documentation says, and never with a 500', async () => {
  const bodies = bodiesLike(verification, 'type', 'token', 'token_hash', 'email', 'phone', 'redirect_to');
  const seen = await bombard('/verify', bodies, 800);
  // The generator is worth something only when it reaches every kind of answer, and nothing is guessed by it.
  expect(statusesOf(seen)).toEqual(expect.arrayContaining([400, 403, 413, 415]));
  expect(statusesOf(seen)).not.toContain(200);
});

it('answers whatever is sent to /signup as the documentation says, and never with a 500', async () => {
  const bodies = bodiesLike(signUp, 'email', 'phone', 'password', 'data', 'redirect_to', 'captcha_token');
  const seen = await bombard('/signup', bodies, 250);
  expect(statusesOf(seen)).toEqual(expect.arrayContaining([200, 400, 415]));
  for (const { answer } of seen.filter(({ status }) => status === 200)) {
    expect(answer).toMatchObject({ id: expect.any(String) as string, email_confirmed_at: null });
    expect(JSON.stringify(answer)).not.toContain('correct horse battery');
  }
});

it('answers whatever form is posted with a redirect to where it is allowed, or as the documentation says', async () => {
  const form = fc.dictionary(
    fc.oneof(
      {
        weight: 9,
        arbitrary: fc.constantFrom('type', 'token', 'token_hash', 'redirect_to', 'email', 'phone'),
      },
      { weight: 1, arbitrary: awkwardText },
    ),
    fc.oneof(fc.constantFrom<string>(...confirmationTypes, 'https://evil.example'), address),
  );
  const statuses = new Set<number>();
  await checkAll(form, 400, async (fields) => {
    const body = new URLSearchParams(fields);
    const response = await fetch(`${running.url}/verify`, { method: 'POST', body, redirect: 'manual' });
    statuses.add(response.status);
    expect([303, 400, 413, 429]).toContain(response.status);
    const text = await response.text();
    if (response.status === 303) {
      expect(response.headers.get('location')).toMatch(/^http:\/\/localhost:\d+\/#error=access_denied&/);
    } else {
      expect(JSON.parse(text)).toMatchObject({
        code: response.status,
        details: expect.any(String) as string,
      });
    }
  });
  expect([...statuses]).toEqual(expect.arrayContaining([303, 400]));
});
