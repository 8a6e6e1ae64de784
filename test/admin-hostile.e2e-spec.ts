import fc from 'fast-check';
import { messageStatuses } from '../src/auth/messages/message-status.js';
import { expectSomeError } from './support/error-bodies.js';
import {
  address,
  anything,
  awkwardText,
  checkAll,
  contentType,
  rareBodies,
} from './support/hostile-input.js';
import { insertMessages, messageAt, serviceKey, withKey } from './support/operator.js';
import { type RunningApp, startApp } from './support/start-app.js';

let running: RunningApp;

beforeAll(async () => {
  running = await startApp({ env: { SERVICE_KEY: serviceKey } });
  const now = running.clock.now();
  // Nothing that a worker would take.
  const ended = messageStatuses.filter((status) => status !== 'accepted' && status !== 'sending');
  await insertMessages(
    running,
    ended.map((status, i) => messageAt(now - i, { status })),
  );
});
afterAll(() => running.stop());

const cursors = fc.oneof(
  fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
  fc.uint8Array({ minLength: 38, maxLength: 38 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
  fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
);
const instants = fc.oneof(
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  fc.constantFrom(
    '0000-01-01T00:00:00Z',
    '9999-12-31T23:59:59.999999999-23:59',
    '2026-02-30T00:00:00Z',
    '0',
    '-1',
  ),
);
const value = fc.oneof(
  awkwardText,
  address,
  cursors,
  instants,
  fc.constantFrom<string>(...messageStatuses, 'signup', 'sms', 'email', '1', '200', '-1', '1e9', 'NaN'),
);

/** What the service answers, checked as far as all answers are alike. */
async function ask(
  method: string,
  path: string,
  init: { body?: string; headers?: Record<string, string> } = {},
) {
  const response = await fetch(running.url + path, {
    method,
    ...init,
    headers: { ...init.headers, ...withKey },
  });
  const text = await response.text();
  expect([200, 204, 400, 404, 409, 413, 414, 415, 431]).toContain(response.status);
  if (response.status >= 400) expectSomeError(response.status, JSON.parse(text) as Record<string, unknown>);
  return response.status;
}

it.each<[path: string, names: string[]]>([
  [
    '/admin/messages',
    ['status', 'type', 'channel', 'provider', 'recipient', 'since', 'until', 'limit', 'cursor'],
  ],
  ['/admin/suppressions', ['limit', 'cursor']],
  ['/admin/stats', ['since', 'until']],
])('answers whatever is asked of %s, and never with a 500', async (path, names) => {
  const seen = new Set<number>();
  const name = fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(...names) },
    { weight: 1, arbitrary: awkwardText },
  );
  const pairs = fc.array(fc.tuple(name, value), { maxLength: 4 });
  await checkAll(pairs, 500, async (query) => {
    seen.add(await ask('GET', `${path}?${new URLSearchParams(query).toString()}`));
  });
  expect([...seen]).toEqual(expect.arrayContaining([200, 400]));
});

it.each<[method: string, before: string, after: string]>([
  ['GET', '/admin/messages/', ''],
  ['POST', '/admin/messages/', '/retry'],
  ['POST', '/admin/messages/', '/cancel'],
  ['DELETE', '/admin/suppressions/', ''],
])('answers %s %s…%s for whatever stands there, and never with a 500', async (method, before, after) => {
  await checkAll(fc.oneof(awkwardText, cursors, fc.uuid()), 150, async (text) => {
    let id: string;
    try {
      id = encodeURIComponent(text);
    } catch {
      id = '%ed%a0%80';
    }
    await ask(method, before + id + after);
  });
});

it.each<[path: string, names: string[], right: object]>([
  [
    '/admin/messages/replay',
    ['since', 'until', 'status', 'reason', 'type', 'limit', 'cursor'],
    { since: '2026-01-01T00:00:00Z' },
  ],
  ['/admin/suppressions', ['email', 'phone'], { email: 'user@example.com' }],
  ['/admin/suppressions/lift', ['email', 'phone'], { email: 'user@example.com' }],
])('answers whatever is posted to %s, and never with a 500', async (path, names, right) => {
  const seen = new Set<number>();
  const bodies = fc.oneof(
    {
      weight: 9,
      arbitrary: fc
        .tuple(fc.constantFrom(...names), fc.oneof(anything, value))
        .map(([name, spoilt]) => JSON.stringify({ ...right, [name]: spoilt })),
    },
    { weight: 1, arbitrary: fc.oneof(fc.json(), awkwardText) },
  );
  const check = async ([body, type]: [body: string, contentType: string]) => {
    seen.add(await ask('POST', path, { body, headers: { 'Content-Type': type } }));
  };
  await checkAll(fc.tuple(bodies, contentType), 300, check, rareBodies);
  expect([...seen]).toEqual(expect.arrayContaining([400, 415]));
});
