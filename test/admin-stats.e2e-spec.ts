import { DataSource } from 'typeorm';
import { DeliveryAttemptEntity } from '../src/auth/messages/message.entities.js';
import { uuidV7 } from '../src/platform/ids.js';
import { errorBodies } from './support/error-bodies.js';
import { insertMessages, messageAt, operatorOf, serviceKey } from './support/operator.js';
import { type RunningApp, startApp } from './support/start-app.js';

const hour = 3_600_000;
const day = 24 * hour;
const at = (text: string) => Date.parse(`2026-01-31T${text}Z`);

describe('the counts for operators', () => {
  let running: RunningApp;
  let operator: ReturnType<typeof operatorOf>;

  const attempt = (ms: number, provider: string | null, outcome: 'sent' | 'transient') => ({
    id: uuidV7(ms - 10),
    messageId: uuidV7(ms),
    attempt: 1,
    provider,
    receiptId: null,
    outcome,
    error: null,
    startedAt: new Date(ms - 10),
    endedAt: new Date(ms),
  });

  beforeAll(async () => {
    running = await startApp({ env: { SERVICE_KEY: serviceKey } });
    operator = operatorOf(running);
    await insertMessages(running, [
      messageAt(at('11:29:59.999')),
      messageAt(at('11:30:00')),
      messageAt(at('11:59:59.999'), { type: 'recovery' }),
      messageAt(at('12:00:00'), { status: 'failed' }),
      messageAt(at('12:10:00')),
      // Promised to an idempotency key the day before.
      messageAt(at('12:20:00'), { id: uuidV7(at('12:20:00') - 23 * hour), status: 'dropped' }),
      messageAt(at('12:30:00')),
      messageAt(running.clock.now() - day, { type: 'sms', channel: 'sms' }),
      messageAt(running.clock.now() - 1),
    ]);
    await running.app
      .get(DataSource)
      .manager.insert(DeliveryAttemptEntity, [
        attempt(at('11:29:59.999'), 'smtp', 'sent'),
        attempt(at('11:30:00'), 'smtp', 'sent'),
        attempt(at('12:00:00'), 'smtp', 'transient'),
        attempt(at('12:29:59.999'), 'reserve', 'sent'),
        attempt(at('12:29:59.999'), 'reserve', 'sent'),
        attempt(at('12:20:00'), null, 'transient'),
        attempt(at('12:30:00'), 'smtp', 'sent'),
      ]);
  });
  afterAll(() => running.stop());

  it('tell messages by status, type and hour, and attempts by provider and outcome', async () => {
    const query = { since: '2026-01-31T12:30:00+01:00', until: '2026-01-31T12:30:00Z' };
    const { body } = await operator.get('/admin/stats', query).expect(200);
    expect(body).toEqual({
      since: '2026-01-31T11:30:00.000Z',
      until: '2026-01-31T12:30:00.000Z',
      messages: 5,
      by_status: [
        { status: 'dropped', messages: 1 },
        { status: 'failed', messages: 1 },
        { status: 'sent', messages: 3 },
      ],
      by_type: [
        { type: 'recovery', messages: 1 },
        { type: 'signup', messages: 4 },
      ],
      by_hour: [
        { hour: '2026-01-31T11:00:00.000Z', status: 'sent', messages: 2 },
        { hour: '2026-01-31T12:00:00.000Z', status: 'dropped', messages: 1 },
        { hour: '2026-01-31T12:00:00.000Z', status: 'failed', messages: 1 },
        { hour: '2026-01-31T12:00:00.000Z', status: 'sent', messages: 1 },
      ],
      by_provider: [
        { provider: 'reserve', outcome: 'sent', attempts: 2 },
        { provider: 'smtp', outcome: 'sent', attempts: 1 },
        { provider: 'smtp', outcome: 'transient', attempts: 1 },
        { provider: null, outcome: 'transient', attempts: 1 },
      ],
    });
  });

  it('are those of the last day unless a time is named', async () => {
    const { body } = await operator.get('/admin/stats').expect(200);
    expect(body).toMatchObject({
      since: new Date(running.clock.now() - day).toISOString(),
      until: new Date(running.clock.now()).toISOString(),
      messages: 2,
      by_provider: [],
    });
    const until = new Date(running.clock.now() - 1).toISOString();
    expect((await operator.get('/admin/stats', { until }).expect(200)).body).toMatchObject({ messages: 1 });
  });

  it.each<[object, string]>([
    [{ since: '2026-01-31T12:00:00Z', until: '2026-01-31T12:00:00Z' }, 'since must be before until'],
    [
      { since: '2026-01-24T11:59:59.999Z', until: '2026-01-31T12:00:00Z' },
      'since must be at most 7 days before until',
    ],
    [{ since: '1e3' }, 'since must be a date and time with a zone, such as 2026-01-31T12:00:00Z'],
  ])('are refused for %j', async (query, details) => {
    expect((await operator.get('/admin/stats', query).expect(400)).body).toEqual(
      errorBodies.invalidField(details),
    );
  });

  it('may be of seven days', async () => {
    const query = { since: '2026-01-24T12:00:00Z', until: '2026-01-31T12:00:00Z' };
    expect((await operator.get('/admin/stats', query).expect(200)).body).toMatchObject({ messages: 3 });
  });
});
