import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OpenAPIObject } from '@nestjs/swagger';
import { SnsEndpoint } from '../src/auth/vendors/ses/sns.js';
import { AccessTokens } from '../src/auth/tokens/access-tokens.js';
import { expectSomeError } from './support/error-bodies.js';
import { serviceKey, withKey } from './support/operator.js';
import { publicUrl, reportingVendors, type ReportingVendor } from './support/reporting-vendors.js';
import { LocalSns, snsMessage, topicArn } from './support/sns.js';
import { type RunningApp, startApp } from './support/start-app.js';
import { insertUser } from './support/users.js';

// Whoever sends them here may send: the bodies are read, and not refused before for want of a key or a signature.

const { paths } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../openapi.json'), 'utf8'),
) as OpenAPIObject;
/** Routes with a body, and whether it is JSON. What SNS posts is, under the name of text. */
const routes = Object.entries(paths).flatMap(([path, operations]) =>
  (['post', 'put'] as const).flatMap((method): [method: string, path: string, isJson: boolean][] => {
    const body = operations[method]?.requestBody;
    if (body === undefined || !('content' in body)) return [];
    return [[method.toUpperCase(), path, path === '/events/ses' || 'application/json' in body.content]];
  }),
);

let sns: LocalSns;
let running: RunningApp;
let accessToken: string;

beforeAll(async () => {
  sns = await LocalSns.start();
  const env = {
    ALLOW_PUBLIC_DEVELOPMENT: 'true',
    PUBLIC_URL: publicUrl,
    SERVICE_KEY: serviceKey,
    SES_TOPIC_ARNS: topicArn,
  };
  const vendors = Object.values<ReportingVendor>(reportingVendors).map((vendor) => vendor.env);
  running = await startApp({
    env: Object.assign({ ...env, LIMIT_IP: '10000/10m' }, ...vendors) as Record<string, string>,
    override: (module) => module.overrideProvider(SnsEndpoint).useValue(sns),
  });
  const user = await insertUser(running, { email: 'user@example.com', emailConfirmedAt: new Date() });
  accessToken = (await running.app.get(AccessTokens).issue(user)).access_token;
});
afterAll(async () => {
  await running.stop();
  await sns.server.stop();
});

/** What lets a request with this body in. */
async function credentials(path: string, body: string): Promise<Record<string, string>> {
  const json = { 'content-type': 'application/json' };
  if (path.startsWith('/admin/')) return { ...json, ...withKey };
  if (path === '/user') return { ...json, authorization: `Bearer ${accessToken}` };
  if (path === '/events/ses') return { 'content-type': 'text/plain' };
  const vendor = /^\/events\/(\w+)/.exec(path)?.[1] as keyof typeof reportingVendors | undefined;
  return vendor === undefined ? json : reportingVendors[vendor].sign(path, body);
}

/** Sends it with all that it takes, and checks what is the same for all answers. */
async function ask(method: string, path: string, body: string) {
  const headers = await credentials(path, body);
  // Signatures are made by the real time.
  running.clock.catchUp();
  const response = await fetch(running.url + path, { method, headers, body });
  const { status } = response;
  const text = await response.text();
  expect([200, 400, 413]).toContain(status);
  if (status !== 200) expectSomeError(status, JSON.parse(text) as Record<string, unknown>);
  return { status, text };
}

const nested = (open: string, close: string, depth: number) => `${open.repeat(depth)}1${close.repeat(depth)}`;
const tooDeep = 'Nest at most 16 levels deep';

describe.each(routes)('%s %s, by whoever may', (method, path, isJson) => {
  it.each([
    ['lists', '[', ']'],
    ['objects', '{"a":', '}'],
  ])('refuses %s that nest too deep, and those that never end', async (_what, open, close) => {
    for (const depth of [16, 2_500]) {
      const whole = await ask(method, path, `{"type":${nested(open, close, depth)}}`);
      const endless = await ask(method, path, `{"x":${open.repeat(depth)}`);
      if (!isJson) continue;
      expect([whole.status, endless.status]).toEqual([400, 400]);
      expect(whole.text).toContain(tooDeep);
      expect(endless.text).not.toContain(tooDeep);
    }
  });

  it('refuses a hundred thousand lists in each other', async () => {
    for (const body of [nested('[', ']', 100_000), '['.repeat(100_000)]) {
      const { status } = await ask(method, path, body);
      if (isJson) expect([400, 413]).toContain(status);
    }
  });

  it('lets no key change what objects inherit', async () => {
    const poison = '{"polluted":true,"type":"signup","email":"evil@example.com"}';
    for (const key of ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty']) {
      const inner = `"${key}":${poison},"constructor":{"prototype":${poison}}`;
      await ask(method, path, `{${inner},"data":{${inner}},"error":{${inner}}}`);
      await ask(method, path, `[{${inner}}]`);
    }
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(Object.prototype).not.toHaveProperty('email');
  });
});

it('refuses what nests too deep in a message that SNS has signed', async () => {
  for (const [Message, details] of [
    [nested('[', ']', 50_000), tooDeep],
    ['['.repeat(50_000), 'Send a JSON object'],
  ] as const) {
    const body = JSON.stringify(snsMessage({ Message }));
    const { status, text } = await ask('POST', '/events/ses', body);
    expect(status).toBe(400);
    expect(JSON.parse(text)).toMatchObject({ error_code: 'bad_json', details });
  }
});

it('serves on after all of that', async () => {
  expect((await fetch(`${running.url}/health/live`)).status).toBe(200);
  const lines = running.logLines.filter(({ level }) => level === 'error');
  expect(lines).toEqual([]);
});
