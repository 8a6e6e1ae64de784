import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OpenAPIObject } from '@nestjs/swagger';
import { wrongKeyLimit } from '../src/admin/service-key.guard.js';
import { errorBodies } from './support/error-bodies.js';
import { operatorOf, serviceKey, withKey } from './support/operator.js';
import { type RunningApp, startApp } from './support/start-app.js';

const file = join(import.meta.dirname, '../openapi.json');
const document = JSON.parse(readFileSync(file, 'utf8')) as OpenAPIObject;
const adminRoutes: [method: string, path: string][] = Object.entries(document.paths)
  .filter(([path]) => path.startsWith('/admin/'))
  .flatMap(([path, methods]) =>
    Object.keys(methods).map((method): [string, string] => [
      method.toUpperCase(),
      path.replace('{id}', `msg_${'0'.repeat(32)}`),
    ]),
  );
const wrongKey = `${serviceKey.slice(0, -1)}v`;

/** The status, and the body when there is one. */
async function ask(running: RunningApp, method: string, path: string, headers: Record<string, string> = {}) {
  const response = await fetch(running.url + path, { method, headers });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: (text.startsWith('{') ? JSON.parse(text) : text) as unknown,
  };
}

describe('with a service key', () => {
  let running: RunningApp;
  beforeAll(async () => {
    running = await startApp({ env: { SERVICE_KEY: serviceKey, TRUST_PROXY: '1' } });
  });
  afterAll(() => running.stop());

  let clients = 0;
  /** As somebody who has not guessed yet. */
  const fromElsewhere = () => ({ 'X-Forwarded-For': `198.51.100.${(clients += 1)}` });

  it.each([...adminRoutes, ['GET', '/metrics']])('%s %s is for its bearer only', async (method, path) => {
    for (const Authorization of [`Bearer ${wrongKey}`, 'Bearer x', 'Bearer null']) {
      const answer = await ask(running, method, path, { Authorization, ...fromElsewhere() });
      expect([answer.status, answer.body]).toEqual([401, errorBodies.badServiceKey]);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
      expect(answer.headers.get('cache-control')).toBe('no-store');
    }
    for (const headers of [{}, { Authorization: `Basic ${serviceKey}` }, { Authorization: serviceKey }]) {
      const answer = await ask(running, method, path, headers);
      expect([answer.status, answer.body]).toEqual([401, errorBodies.badServiceKey]);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    }
    const { status, headers } = await ask(running, method, path, withKey);
    expect([200, 400, 404]).toContain(status);
    expect(headers.get('cache-control')).toBe('no-store');
  });

  it('counts wrong keys against who showed them, and writes no key down', async () => {
    const attacker = { Authorization: `Bearer ${wrongKey}`, ...fromElsewhere() };
    const guesses = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        ask(running, 'GET', i % 2 ? '/admin/stats' : '/metrics', attacker),
      ),
    );
    expect(guesses.filter(({ status }) => status === 401)).toHaveLength(wrongKeyLimit.max);
    expect(guesses.filter(({ status }) => status === 429)).toHaveLength(50 - wrongKeyLimit.max);
    const refused = await ask(running, 'GET', '/admin/stats', attacker);
    expect([refused.status, refused.body]).toEqual([
      429,
      errorBodies.tooManyRequests('over_request_rate_limit', 600),
    ]);
    expect(refused.headers.get('retry-after')).toBe('600');
    // The operator may be behind the same address.
    for (const path of ['/admin/stats', '/metrics']) {
      expect((await ask(running, 'GET', path, { ...attacker, ...withKey })).status).toBe(200);
    }
    const log = JSON.stringify(running.logLines);
    expect(log).toContain('/admin/stats');
    for (const key of [serviceKey, wrongKey]) expect(log).not.toContain(key);
  });

  it('does not count the requests of who has it', async () => {
    for (let i = 0; i < 3 * wrongKeyLimit.max; i += 1) await operatorOf(running).get('/metrics').expect(200);
  });
});

describe('without a service key', () => {
  it.each(adminRoutes)('%s %s refuses everybody, in the same words', async (method, path) => {
    const running = await development;
    for (const Authorization of [`Bearer ${serviceKey}`, 'Bearer undefined']) {
      const answer = await ask(running, method, path, {
        Authorization,
        'X-Forwarded-For': `192.0.2.${(guesses += 1)}`,
      });
      expect([answer.status, answer.body]).toEqual([401, errorBodies.badServiceKey]);
    }
    expect((await ask(running, method, path)).body).toEqual(errorBodies.badServiceKey);
  });

  let guesses = 0;
  let development: Promise<RunningApp>;
  beforeAll(() => {
    development = startApp({ env: { TRUST_PROXY: '1' } });
  });
  afterAll(async () => (await development).stop());

  it('shows its figures in development', async () => {
    const { body } = await ask(await development, 'GET', '/metrics');
    expect(body).toContain('strike_auth_http_request_seconds');
  });

  it('shows them to nobody in production', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const production = await startApp({
      env: {
        NODE_ENV: 'production',
        PUBLIC_URL: 'https://auth.example.com',
        SITE_URL: 'https://www.example.com',
        SMTP_URL: 'smtp://127.0.0.1:9',
        MAIL_FROM: 'no-reply@example.com',
        TRUST_PROXY: '0',
        HASHING_KEY: randomBytes(32).toString('base64'),
        SIGNING_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      },
    });
    try {
      for (const headers of [{}, withKey]) {
        const answer = await ask(production, 'GET', '/metrics', headers);
        expect([answer.status, answer.body]).toEqual([401, errorBodies.badServiceKey]);
      }
    } finally {
      await production.stop();
    }
  });
});
