import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { eventually } from './support/eventually.js';
import type { InboxMessage } from './support/inbox.js';
import { type ServiceProcess, startService } from './support/service-process.js';
import { SmsGateway } from './support/sms-gateway.js';

// `ROLE=all` as it is started: a real process, with the delivery in a thread of its own.

const password = 'correct horse battery';

let database: TestDatabase;
let service: ServiceProcess;

beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(async () => {
  await service.kill('SIGKILL');
  await database.drop();
});

async function start(env: Record<string, string> = {}): Promise<void> {
  service = await startService({ ...database.env, LIMIT_IP: '1000/10m', ...env });
}

const get = (path: string) => fetch(service.url + path);

async function inbox(to: string): Promise<InboxMessage[]> {
  return (await (await get(`/inbox/messages?to=${encodeURIComponent(to)}`)).json()) as InboxMessage[];
}

const delivered = 'strike_auth_deliveries_total{type="signup",channel="email",outcome="sent"}';

describe('the one process', () => {
  it('delivers mail and SMS into the inbox, counts them in /metrics and writes them to the one log', async () => {
    await start();
    const [email, phone] = ['somebody@example.com', '+12025550123'];
    await service.post('/signup', { email, password });
    await service.post('/signup', { phone, password });
    const mail = await eventually('the mail', async () => (await inbox(email))[0]);
    await eventually('the SMS', async () => (await inbox(phone))[0]);
    const { body } = await service.post('/verify', { type: 'signup', email, token: mail.code });
    expect(body).toMatchObject({ user: { email } });
    const figures = await eventually('the count', async () => {
      const text = await (await get('/metrics')).text();
      return text.includes(delivered) && text;
    });
    expect(figures).toContain(`${delivered} 1\n`);
    expect(figures).toContain('strike_auth_http_request_seconds_count');
    // Asked again, nothing is counted twice.
    expect(await (await get('/metrics')).text()).toContain(`${delivered} 1\n`);
    const line = service
      .output()
      .split('\n')
      .find((text) => text.includes('"event":"delivery"'));
    expect(JSON.parse(line ?? '{}')).toMatchObject({ level: 'info', event: 'delivery', status: 'sent' });
  });

  it('finishes what it has in hand when it is asked to stop', async () => {
    const gateway = await SmsGateway.start();
    const { answer } = gateway;
    gateway.answer = null;
    await start({
      SMS_WEBHOOK_URL: gateway.url,
      SMS_WEBHOOK_SECRET: 'whsec_c3RyaWtlLWF1dGgtdGVzdC1zZWNyZXQtMTIzNDU2Nzg=',
    });
    const held = new Promise<() => void>((resolve) => {
      gateway.answer = (response) => resolve(() => answer?.(response));
    });
    await service.post('/signup', { phone: '+12025550123', password });
    const release = await held;
    const ended = service.kill('SIGTERM');
    await eventually('no server any more', async () => !(await get('/health/live').catch(() => null)));
    expect(service.output()).not.toContain('"event":"delivery"');
    release();
    expect(await ended).toBe('SIGTERM');
    expect(service.output()).toMatch(/"event":"delivery".*"status":"sent"/);
    await gateway.stop();
  });

  it('ends, and says why, when its delivery does', async () => {
    const preload = pathToFileURL(join(__dirname, 'support/faulty-delivery.mjs')).href;
    await start({ NODE_OPTIONS: `--import=${preload}` });
    await get('/metrics').catch(() => null);
    await eventually('the end of the process', () => service.child.exitCode !== null);
    expect(service.child.exitCode).toBe(1);
    expect(service.output()).toContain('A fault in the delivery');
    expect(service.output()).toContain('Strike Auth stops, because its delivery thread has');
  });

  it('does not start when its delivery does not', async () => {
    const preload = pathToFileURL(join(__dirname, 'support/faulty-delivery.mjs')).href;
    const starting = start({ NODE_OPTIONS: `--import=${preload}`, FAULT: 'start' });
    await expect(starting).rejects.toThrow(/Strike Auth cannot start\.\n(.*\n)*?.*A fault in the delivery/);
  });
});
