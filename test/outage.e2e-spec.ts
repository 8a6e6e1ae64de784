import { DataSource } from 'typeorm';
import { leaseMs } from '../src/auth/outbox/message-queue.js';
import { OutboxWorker } from '../src/auth/outbox/outbox.worker.js';
import { attemptRows, ended, messageRow, resend } from './support/messages.js';
import { eventually } from './support/eventually.js';
import { ScriptedSmtpServer } from './support/smtp-server.js';
import { type RunningApp, startApp } from './support/start-app.js';
import { insertUser } from './support/users.js';

let smtp: ScriptedSmtpServer;
let running: RunningApp;

beforeAll(async () => {
  smtp = await ScriptedSmtpServer.start();
  running = await startApp({ env: { SMTP_URL: smtp.url } });
});

afterAll(async () => {
  await running.stop();
  await smtp.stop();
});

it('sends a mail once when its outcome cannot be written down until its lease has run out', async () => {
  const dataSource = running.app.get(DataSource);
  const query = dataSource.query.bind(dataSource);
  let refused = 0;
  // Outcomes and leases cannot be written, messages can be claimed: the worst moment of an outage.
  const away = jest.spyOn(dataSource, 'query').mockImplementation((...asked) => {
    const [sql] = asked;
    if (!sql.includes('AS settled') && !sql.includes('AS held')) return query(...asked);
    refused++;
    return Promise.reject(new Error('The database is away'));
  });
  const email = 'once@example.com';
  await insertUser(running, { email });
  const id = await resend(running, { type: 'signup', email });
  await eventually('an outcome that could not be written', () => refused > 0);
  running.clock.advance(leaseMs + 1);
  const claims = () => away.mock.calls.filter(([sql]) => sql.includes('WITH due')).length;
  const before = claims();
  running.app.get(OutboxWorker).wake();
  await eventually('another look for due messages', () => claims() > before + 1);
  expect(await messageRow(running, id)).toMatchObject({ status: 'sending', attempts: 1 });
  away.mockRestore();
  expect(await ended(running, id)).toEqual({ status: 'sent', reason: null, attempts: 1 });
  expect(await attemptRows(running, id)).toEqual([
    { attempt: 1, provider: 'smtp', outcome: 'sent', error: null },
  ]);
  expect(smtp.received).toHaveLength(1);
});
