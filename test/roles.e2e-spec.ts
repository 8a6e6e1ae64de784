import { createTestDatabase, type TestDatabase } from './support/database.js';
import { ended, resend } from './support/messages.js';
import { services } from './support/services.js';
import { ScriptedSmtpServer } from './support/smtp-server.js';
import { type RunningApp, startApp } from './support/start-app.js';
import { insertUser } from './support/users.js';

// Roles meet in PostgreSQL; the embedded database serves one process.
const describeOnPostgres = services.database === 'postgresql' ? describe : describe.skip;

describeOnPostgres('two processes that answer and three that deliver', () => {
  let database: TestDatabase;
  let smtp: ScriptedSmtpServer;
  let apis: RunningApp[];
  let workers: RunningApp[];

  beforeAll(async () => {
    database = await createTestDatabase();
    smtp = await ScriptedSmtpServer.start();
    const start = (ROLE: string) =>
      startApp({ database, env: { ROLE, SMTP_URL: smtp.url, LIMIT_IP: '100000/10m', HASHING_KEY: key } });
    apis = [await start('api'), await start('api')];
    workers = [await start('worker'), await start('worker'), await start('worker')];
  });

  const key = Buffer.alloc(32, 'a key for tests').toString('base64');

  afterAll(async () => {
    for (const running of [...apis, ...workers]) await running.stop();
    await smtp.stop();
    await database.drop();
  });

  it('see each message to its end once, whoever took it', async () => {
    const ids = await Promise.all(
      Array.from({ length: 60 }, async (_, n) => {
        const api = apis[n % apis.length]!;
        const email = `role${n}@example.com`;
        await insertUser(api, { email });
        return resend(api, { type: 'signup', email });
      }),
    );
    for (const id of ids) {
      expect(await ended(apis[0]!, id)).toEqual({ status: 'sent', reason: null, attempts: 1 });
    }
    const delivered = smtp.received.map(({ parsed }) => parsed.messageId);
    expect(delivered).toHaveLength(ids.length);
    expect(new Set(delivered).size).toBe(ids.length);
    const lines = workers.map(({ logLines }) => logLines.filter(({ event }) => event === 'delivery').length);
    expect(lines.reduce((sum, count) => sum + count, 0)).toBe(ids.length);
    expect(apis.flatMap(({ logLines }) => logLines).filter(({ event }) => event === 'delivery')).toEqual([]);
  });

  it('tell of providers where there is delivery, and of none where there is not', async () => {
    for (const { http } of workers) {
      const { body } = await http.get('/health/ready').expect(200);
      expect(body).toMatchObject({ status: 'ok', providers: { smtp: 'closed' } });
    }
    for (const { http } of apis) {
      const { body } = await http.get('/health/ready').expect(200);
      expect(body).not.toHaveProperty('providers');
      expect((await http.get('/metrics').expect(200)).text).not.toContain('strike_auth_provider_state{');
    }
  });

  it('answer only where that is their role', async () => {
    for (const { http } of workers) {
      await http.post('/resend').send({ type: 'signup', email: 'role0@example.com' }).expect(404);
    }
  });
});
