import { createTestDatabase, type TestDatabase } from './support/database.js';
import { eventually } from './support/eventually.js';
import { type ServiceProcess, startService } from './support/service-process.js';
import { ScriptedSmtpServer } from './support/smtp-server.js';

// Real processes, real signals, a real clock.

let database: TestDatabase;
let smtp: ScriptedSmtpServer;
let running: ServiceProcess | undefined;

beforeEach(async () => {
  database = await createTestDatabase();
  smtp = await ScriptedSmtpServer.start();
});

afterEach(async () => {
  await running?.kill('SIGKILL');
  running = undefined;
  await smtp.stop();
  await database.drop();
});

async function start(): Promise<ServiceProcess> {
  running = await startService({ ...database.env, SMTP_URL: smtp.url, LOG_LEVEL: 'info' });
  return running;
}

async function signUp(service: ServiceProcess, email: string): Promise<void> {
  const { status } = await service.post('/signup', { email, password: 'correct horse battery' });
  expect(status).toBe(200);
}

function mailsWith(messageId: unknown) {
  return smtp.received.filter(({ parsed }) => parsed.messageId?.includes(String(messageId)));
}

describe('an accepted message', () => {
  it('arrives when the mail server, down at first, is back', async () => {
    const service = await start();
    await signUp(service, 'one@example.com');
    await eventually('the first mail', () => smtp.received.length === 1);
    await smtp.stop();
    const { status, body } = await service.post('/resend', { type: 'signup', email: 'one@example.com' });
    expect(status).toBe(200);
    await eventually('an attempt that failed', () => service.output().includes('"status":"retry"'));
    await smtp.listen();
    await eventually('the second mail', () => mailsWith(body['message_id']).length === 1, 60_000);
  });

  it('arrives after a restart when the process is killed between the answer and the sending', async () => {
    const first = await start();
    await signUp(first, 'two@example.com');
    await eventually('the first mail', () => smtp.received.length === 1);
    smtp.hangAt('mail');
    const { status, body } = await first.post('/resend', { type: 'signup', email: 'two@example.com' });
    expect(status).toBe(200);
    await first.kill('SIGKILL');
    expect(mailsWith(body['message_id'])).toHaveLength(0);
    smtp.behave();
    await start();
    await eventually('the mail', () => mailsWith(body['message_id']).length === 1, 60_000);
  });

  it('is sent now or after the restart when the process is asked to stop', async () => {
    const service = await start();
    await signUp(service, 'three@example.com');
    const answers = await Promise.all(
      Array.from({ length: 3 }, () =>
        service.post('/resend', { type: 'signup', email: 'three@example.com' }),
      ),
    );
    const code = await service.kill('SIGINT');
    expect(code === 0 || code === 'SIGINT').toBe(true);
    running = undefined;
    await start();
    for (const { body } of answers) {
      await eventually('each mail', () => mailsWith(body['message_id']).length === 1, 60_000);
    }
  });
});
