import { request as ask } from 'node:http';
import { ConfigurationError, readConfig } from '../src/config/config.js';
import { isFromThisMachine } from '../src/http/from-this-machine.js';
import { errorBodies } from './support/error-bodies.js';
import { type RunningApp, startApp } from './support/start-app.js';

let running: RunningApp;
beforeAll(async () => {
  running = await startApp();
});
afterAll(() => running.stop());

/** With `fetch` no `Host` can be chosen. */
function get(path: string, headers: Record<string, string>, method = 'GET') {
  return new Promise<{ status: number; text: string }>((answered, failed) => {
    ask(`${running.url}${path}`, { method, headers: { connection: 'close', ...headers } }, (answer) => {
      let text = '';
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
      answer.on('end', () => answered({ status: answer.statusCode ?? 0, text }));
    })
      .on('error', failed)
      .end();
  });
}

const ofOthers: Record<string, string>[] = [
  // DNS rebinding: the name of another site that leads to 127.0.0.1.
  { host: 'rebind.evil.example:8080' },
  { host: 'rebind.evil.example', origin: 'http://rebind.evil.example' },
  { host: 'auth.corp.example' },
  { host: '192.0.2.7:8080' },
  { host: 'localhost.evil.example' },
  { host: '127.0.0.1.evil.example' },
  // A proxy on this machine.
  { host: 'localhost', 'x-forwarded-for': '198.51.100.7' },
  { host: 'localhost', 'x-forwarded-for': '127.0.0.1' },
  { host: 'localhost', forwarded: 'for=198.51.100.7' },
  { host: 'localhost', 'x-forwarded-host': 'auth.corp.example' },
  { host: 'localhost', 'x-real-ip': '198.51.100.7' },
  { host: '127.0.0.1', via: '1.1 proxy' },
];
const own: Record<string, string>[] = [
  { host: 'localhost' },
  { host: 'localhost:3000' },
  { host: 'auth.localhost:8080' },
  { host: '127.0.0.1' },
  { host: '127.0.0.53:8080' },
  { host: '[::1]:8080' },
];
const inboxPaths = ['/inbox', '/inbox/messages', '/inbox/inbox.js', '/inbox/inbox.css'];

describe('In development', () => {
  it.each(ofOthers)('there is no inbox for %o, and no figures without a key', async (headers) => {
    const nowhere = await get('/there-is-no-such-route', headers);
    for (const path of inboxPaths) {
      expect([path, await get(path, headers)]).toEqual([path, nowhere]);
      expect([path, (await get(path, headers, 'HEAD')).status]).toEqual([path, 404]);
    }
    const figures = await get('/metrics', headers);
    expect([figures.status, JSON.parse(figures.text)]).toEqual([401, errorBodies.badServiceKey]);
    expect((await get('/health/live', headers)).status).toBe(200);
  });

  it.each(own)('inbox and figures are there for %o', async (headers) => {
    for (const path of [...inboxPaths, '/metrics']) {
      expect([path, (await get(path, headers)).status]).toEqual([path, 200]);
    }
  });
});

describe('A request is from this machine', () => {
  const isOwn = (remoteAddress: string | undefined, host: string | undefined = 'localhost') =>
    isFromThisMachine({ socket: { remoteAddress }, headers: { host } });

  it.each(['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1'])('over a socket of %s', (address) => {
    expect(isOwn(address)).toBe(true);
  });

  it.each([
    '192.0.2.7',
    '10.0.0.1',
    '172.17.0.1',
    '::ffff:10.0.0.1',
    'fe80::1',
    '2001:db8::1',
    '0.0.0.0',
    '',
    undefined,
  ])('but not over one of %s', (address) => {
    expect(isOwn(address)).toBe(false);
  });

  it.each([
    '',
    ':8080',
    'localhost:',
    'localhost:x',
    'local host',
    'xlocalhost',
    '127.0.0',
    '1270.0.1',
    '[::2]',
    '0.0.0.0',
    'localhost, evil',
  ])('nor under the name "%s"', (host) => {
    expect(isOwn('127.0.0.1', host)).toBe(false);
  });
});

describe('Outside production', () => {
  const complaint = (env: NodeJS.ProcessEnv) => {
    try {
      readConfig(env);
      return '';
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigurationError);
      return (error as ConfigurationError).message;
    }
  };

  it.each<[name: string, value: string]>([
    ['HOST', '0.0.0.0'],
    ['HOST', '::'],
    ['HOST', '192.0.2.7'],
    ['HOST', 'auth.corp.example'],
    ['PUBLIC_URL', 'https://auth.corp.example'],
    ['PUBLIC_URL', 'http://192.0.2.7:8080'],
    ['PUBLIC_URL', 'http://localhost.corp.example'],
  ])('nothing starts that is for other machines, unless that is allowed: %s=%s', (name, value) => {
    for (const mode of ['', 'development', 'test']) {
      const said = complaint({ NODE_ENV: mode, [name]: value });
      expect(said).toMatch(
        new RegExp(
          `^ {2}- ${name} is for other machines.*NODE_ENV=production.*ALLOW_PUBLIC_DEVELOPMENT=true`,
          'm',
        ),
      );
      expect(said.match(/^ {2}- /gm)).toHaveLength(1);
      expect(complaint({ NODE_ENV: mode, [name]: value, ALLOW_PUBLIC_DEVELOPMENT: 'true' })).toBe('');
    }
  });

  it.each(['localhost', '127.0.0.1', '::1'])('it starts on %s', (HOST) => {
    const PUBLIC_URL = `http://${HOST === '::1' ? '[::1]' : HOST}:8080`;
    expect(complaint({ HOST, PUBLIC_URL })).toBe('');
  });
});
