import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { OpenAPIObject } from '@nestjs/swagger';
import { errorBodies } from './support/error-bodies.js';
import { type RunningApp, startApp } from './support/start-app.js';

const file = join(import.meta.dirname, '../openapi.json');
const document = JSON.parse(readFileSync(file, 'utf8')) as OpenAPIObject;
const routes: [method: string, path: string][] = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.keys(methods).map((method) => [method.toUpperCase(), path] as [string, string]),
);
const bodyRoutes = routes.filter(([method]) => method === 'POST' || method === 'PUT');

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const env = {
  NODE_ENV: 'production',
  PUBLIC_URL: 'https://auth.example.com',
  SITE_URL: 'https://www.example.com',
  CORS_ORIGINS: 'https://www.example.com',
  SMTP_URL: 'smtp://127.0.0.1:9',
  MAIL_FROM: 'no-reply@example.com',
  TRUST_PROXY: '0',
  HASHING_KEY: randomBytes(32).toString('base64'),
  SIGNING_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  LIMIT_IP: '10000/10m',
};

/** What every answer says, whoever wrote it. */
function expectHardened(headers: Headers): void {
  expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; .*frame-ancestors 'none'/);
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('x-frame-options')).toBe('DENY');
  expect(headers.get('referrer-policy')).toBe('no-referrer');
  expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
  expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
  expect(headers.get('strict-transport-security')).toMatch(/^max-age=\d{8}/);
  for (const banner of ['server', 'x-powered-by', 'via', 'x-aspnet-version']) {
    expect([banner, headers.get(banner)]).toEqual([banner, null]);
  }
}

describe('In production', () => {
  let running: RunningApp;

  beforeAll(async () => {
    running = await startApp({ env, requestTimeoutMs: 2_000 });
  });
  afterAll(() => running.stop());

  const ask = (path: string, init: RequestInit = {}) =>
    fetch(running.url + path, { redirect: 'manual', ...init });
  const json = { 'Content-Type': 'application/json' };

  it.each([...routes, ['GET', '/'], ['GET', '/docs'], ['GET', '/openapi.json'], ['GET', '/landing.js']])(
    'the answer to %s %s carries the security headers, and no banner',
    async (method, path) => {
      expectHardened((await ask(path, { method })).headers);
    },
  );

  it.each<[string, number, string, RequestInit]>([
    ['an unknown path', 404, '/nowhere', {}],
    ['a method that a route does not have', 404, '/resend', { method: 'DELETE' }],
    ['a method that no route has', 404, '/resend', { method: 'PROPFIND' }],
    ['an address that is malformed', 400, '/verify/%zz', {}],
    ['a body that is too large', 413, '/resend', { method: 'POST', headers: json, body: 'x'.repeat(20_000) }],
    ['a body of another type', 415, '/resend', { method: 'POST', body: 'x' }],
    ['a body that is no JSON', 400, '/signup', { method: 'POST', headers: json, body: '{' }],
    [
      'a secret that is none',
      403,
      '/verify',
      { method: 'POST', headers: json, body: '{"type":"signup","token":"x"}' },
    ],
    ['a form', 303, '/verify', { method: 'POST', body: new URLSearchParams({ type: 'signup', token: 'x' }) }],
    ['a form that is broken', 400, '/verify', { method: 'POST', body: new URLSearchParams() }],
    ['a broken link', 400, '/verify', {}],
    ['no access token', 401, '/user', { method: 'PUT', headers: json, body: '{}' }],
  ])('%s is answered %i with the same headers', async (_what, status, path, init) => {
    const answer = await ask(path, init);
    expect(answer.status).toBe(status);
    expectHardened(answer.headers);
    expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    if (answer.headers.get('content-type')?.startsWith('application/json')) {
      expect(await answer.json()).toMatchObject({ code: status, error_code: expect.any(String) as string });
    }
  });

  describe.each(bodyRoutes)('%s %s', (method, path) => {
    const send = (body: string) => ask(path, { method, headers: json, body });
    // Nobody has been set up to report.
    const isReport = path.startsWith('/events/');
    const needsKey = path === '/user' || path.startsWith('/admin/');
    const refused = needsKey ? 401 : isReport ? 404 : 400;

    it('refuses JSON that nests too deep, or without end', async () => {
      for (const depth of [17, 8_000]) {
        for (const [open, close] of [
          ['{"a":', '}'],
          ['[', ']'],
        ] as const) {
          const answer = await send(`{"type":${open.repeat(depth)}1${close.repeat(depth)}}`);
          expect([400, refused, 413]).toContain(answer.status);
        }
      }
      expect((await send(`{"x":${'['.repeat(4_000)}`)).status).toBe(refused);
    });

    it('lets no key change what objects inherit', async () => {
      const poison = '{"polluted":true,"type":"signup","email":"evil@example.com"}';
      for (const key of ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty']) {
        const answer = await send(
          `{"${key}":${poison},"constructor":{"prototype":${poison}},"data":{"${key}":1}}`,
        );
        expect(answer.status).toBe(refused);
        expect(await answer.json()).not.toMatchObject({ error_code: 'unexpected_failure' });
      }
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
      expect(Object.prototype).not.toHaveProperty('email');
    });
  });

  it.each(['https://evil.example', 'https://www.example.com.evil.example', 'http://www.example.com', 'null'])(
    'says nothing of CORS to %s, and refuses its preflight',
    async (origin) => {
      for (const [method, path] of routes) {
        const wanted = { Origin: origin, 'Access-Control-Request-Method': method };
        const preflight = await ask(path, { method: 'OPTIONS', headers: wanted });
        expect(preflight.status).toBe(404);
        const answer = await ask(path, { method, headers: { Origin: origin } });
        for (const { headers } of [preflight, answer]) {
          expect([...headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
        }
      }
    },
  );

  it('lets the configured origin in', async () => {
    const Origin = 'https://www.example.com';
    const wanted = { Origin, 'Access-Control-Request-Method': 'POST' };
    const preflight = await ask('/resend', { method: 'OPTIONS', headers: wanted });
    expect(preflight.status).toBe(204);
    const answer = await ask('/resend', { method: 'POST', headers: { Origin } });
    for (const { headers } of [preflight, answer]) {
      expect(headers.get('access-control-allow-origin')).toBe(Origin);
      expect(headers.get('vary')).toContain('Origin');
    }
  });

  it('lets no key of a query or a form change what objects inherit', async () => {
    for (const key of [
      '__proto__',
      '__proto__[polluted]',
      'constructor[prototype][polluted]',
      'constructor',
    ]) {
      const fields = new URLSearchParams([
        [key, 'true'],
        ['type', 'signup'],
        ['token', 'x'],
      ]);
      expect((await ask(`/verify?${fields.toString()}`)).status).toBe(200);
      const posted = await ask('/verify', { method: 'POST', body: fields });
      expect([posted.status, posted.headers.get('location')]).toEqual([
        303,
        expect.stringMatching(/^https:\/\/www\.example\.com\/#error=access_denied&/),
      ]);
    }
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('has no inbox', async () => {
    expect((await ask('/inbox/messages')).status).toBe(404);
  });

  describe('a connection', () => {
    /** Sends this much, and no more; resolves with all that came when the server has closed. */
    async function heard(...sent: string[]): Promise<{ status: number; text: string; headers: Headers }> {
      const { hostname, port } = new URL(running.url);
      const socket: Socket = connect(Number(port), hostname);
      let text = '';
      socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
      socket.on('error', () => undefined);
      for (const part of sent) socket.write(part);
      // Not `once` of node:events, which takes a reset for a failure: what had arrived before it counts.
      await new Promise((resolve) => socket.once('close', resolve));
      const [head = '', ...body] = text.split('\r\n\r\n');
      const [line = '', ...lines] = head.split('\r\n');
      const headers = new Headers(lines.map((each) => each.split(/: (.*)/, 2) as [string, string]));
      return { status: Number(line.split(' ')[1]), text: body.join('\r\n\r\n'), headers };
    }
    const post = 'POST /resend HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';

    it.each([
      ['a head', ['GET /health/live HTTP/1.1\r\nHost: x\r\nX-Slow: ']],
      ['a body', [`${post}Content-Length: 100\r\n\r\n`, '{"type":']],
      ['a chunked body', [`${post}Transfer-Encoding: chunked\r\n\r\n`, '5\r\n{"typ\r\n']],
    ])('that never ends %s is cut off', async (_what, sent) => {
      const { status, text, headers } = await heard(...sent);
      expect(status).toBe(408);
      expect(JSON.parse(text)).toMatchObject({ code: 408, error_code: 'request_timeout' });
      expectHardened(headers);
    });

    it('that sends byte after byte and never ends is cut off, and a hundred of them keep nobody waiting', async () => {
      const { hostname, port } = new URL(running.url);
      const slow = Array.from({ length: 100 }, () => connect(Number(port), hostname));
      const closed = slow.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
      let heard = '';
      for (const socket of slow) {
        socket.on('error', () => undefined).on('data', (chunk: Buffer) => (heard += chunk.toString()));
        socket.write('GET /health/live HTTP/1.1\r\nHost: x\r\nX-Slow: ');
      }
      const drip = setInterval(() => slow.forEach((socket) => socket.writable && socket.write('x')), 200);
      expect((await ask('/health/live')).status).toBe(200);
      await Promise.all(closed);
      clearInterval(drip);
      expect(heard).not.toContain('HTTP/1.1 200');
      expect(heard).toContain('HTTP/1.1 408');
    });

    it.each<[string, number, string]>([
      ['one line of 17 KiB', 431, `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(17 * 1_024)}\r\n\r\n`],
      ['an address of 17 KiB', 431, `GET /${'x'.repeat(17 * 1_024)} HTTP/1.1\r\nHost: x\r\n\r\n`],
      ['what is no HTTP', 400, 'nonsense\r\n\r\n'],
      ['two lengths', 400, `${post}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`],
      ['a length and chunks', 400, `${post}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ])('that sends %s is refused with %i and closed', async (_what, expected, sent) => {
      const { status, text, headers } = await heard(sent);
      expect(status).toBe(expected);
      expect(JSON.parse(text)).toMatchObject({ code: expected, details: expect.any(String) as string });
      expectHardened(headers);
    });

    it('that sends a head of a megabyte is cut off', async () => {
      const head = `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(1_000_000)}\r\n\r\n`;
      const { status, text } = await heard(head);
      // A connection that is closed while its client still writes may be reset before the answer is read.
      expect(text === '' || status === 431).toBe(true);
    });

    it('that sends more header lines than anybody needs is refused', async () => {
      const lines = (count: number) => Array.from({ length: count }, (_, i) => `X-${i}: 1\r\n`).join('');
      const request = (count: number) =>
        `GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${lines(count)}\r\n`;
      expect((await heard(request(98))).status).toBe(200);
      const { status, text, headers } = await heard(request(99));
      expect(status).toBe(431);
      expect(JSON.parse(text)).toMatchObject({ code: 431, error_code: 'request_header_fields_too_large' });
      expectHardened(headers);
    });
  });

  it('serves on after all of that', async () => {
    expect((await ask('/health/live')).status).toBe(200);
    const missing = await ask('/resend', { method: 'POST', headers: json, body: '{}' });
    expect(await missing.json()).toEqual(errorBodies.typeMissing);
  });
});

it('answers no origin at all in production when none is configured', async () => {
  const running = await startApp({ env: { ...env, CORS_ORIGINS: '' } });
  const headers = { Origin: 'https://www.example.com', 'Access-Control-Request-Method': 'POST' };
  const preflight = await fetch(`${running.url}/resend`, { method: 'OPTIONS', headers });
  expect(preflight.status).toBe(404);
  expect(preflight.headers.get('access-control-allow-origin')).toBeNull();
  await running.stop();
});
