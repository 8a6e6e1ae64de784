import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import {
  DeliveryAttemptEntity,
  DeliveryEventEntity,
  MessageEntity,
} from '../src/auth/messages/message.entities.js';
import { MessageQueue } from '../src/auth/outbox/message-queue.js';
import { OutboxWorker } from '../src/auth/outbox/outbox.worker.js';
import { messageStatuses } from '../src/auth/messages/message-status.js';
import { messageIdOf, uuidV7 } from '../src/platform/ids.js';
import { errorBodies } from './support/error-bodies.js';
import { eventually } from './support/eventually.js';
import { ended, resend } from './support/messages.js';
import { insertMessages, messageAt, operatorOf, serviceKey } from './support/operator.js';
import { ScriptedSmtpServer } from './support/smtp-server.js';
import { type RunningApp, startApp } from './support/start-app.js';
import { insertUser } from './support/users.js';

const minute = 60_000;
const env = { SERVICE_KEY: serviceKey, LIMIT_IP: '100000/10m', LIMIT_EMAIL: '1000/5m' };

type Body = Record<string, unknown>;
interface Page {
  messages: (Body & { message_id: string })[];
  next_cursor: string | null;
}

describe('what operators see and do, with nobody delivering', () => {
  let running: RunningApp;
  let operator: ReturnType<typeof operatorOf>;
  let start: number;
  const repository = () => running.app.get(DataSource).getRepository(MessageEntity);
  const list = async (query: object = {}) =>
    (await operator.get('/admin/messages', query).expect(200)).body as Page;
  const idsOf = ({ messages }: Page) => messages.map(({ message_id }) => message_id);

  beforeAll(async () => {
    running = await startApp({ env });
    operator = operatorOf(running);
    await running.app.get(OutboxWorker).onModuleDestroy();
  });
  afterAll(() => running.stop());
  beforeEach(async () => {
    await repository().clear();
    start = running.clock.now() - 60 * minute;
  });

  it('lists messages, the newest first, without whole addresses', async () => {
    const [older, newer] = [
      messageAt(start, { recipient: 'somebody@example.com', status: 'dropped', reason: 'unknown_user' }),
      messageAt(start + 1, { recipient: '+15550001234', channel: 'sms', type: 'sms', status: 'accepted' }),
    ];
    await insertMessages(running, [older, newer]);
    const page = await list();
    expect(idsOf(page)).toEqual([messageIdOf(newer.id), messageIdOf(older.id)]);
    expect(page.next_cursor).toBeNull();
    expect(page.messages[1]).toEqual({
      message_id: messageIdOf(older.id),
      type: 'signup',
      channel: 'email',
      recipient: 's***@example.com',
      status: 'dropped',
      reason: 'unknown_user',
      attempts: 1,
      accepted_at: new Date(start).toISOString(),
      requeued_at: null,
      due_at: new Date(start).toISOString(),
      ended_at: new Date(start).toISOString(),
    });
    expect(page.messages[0]).toMatchObject({ recipient: '+1*****1234', ended_at: null });
  });

  it('finds them by everything that is asked for at once, the address spelt as people do', async () => {
    const wanted = messageAt(start + 5, { status: 'failed', recipient: 'ada@example.com', type: 'recovery' });
    const others = [
      messageAt(start + 5, { status: 'sent', recipient: 'ada@example.com', type: 'recovery' }),
      messageAt(start + 5, { status: 'failed', recipient: 'eve@example.com', type: 'recovery' }),
      messageAt(start + 5, { status: 'failed', recipient: 'ada@example.com', type: 'signup' }),
      messageAt(start + 6, { status: 'failed', recipient: 'ada@example.com', type: 'recovery' }),
    ];
    await insertMessages(running, [wanted, ...others]);
    const query = {
      status: 'failed',
      type: 'recovery',
      channel: 'email',
      recipient: ' Ada@EXAMPLE.com',
      since: new Date(start + 5).toISOString(),
      until: new Date(start + 6).toISOString(),
    };
    expect(idsOf(await list(query))).toEqual([messageIdOf(wanted.id)]);
    expect(idsOf(await list({ ...query, provider: 'smtp' }))).toEqual([]);
  });

  it('finds them by their reason', async () => {
    const wanted = messageAt(start + 5, { status: 'failed', reason: 'expired' });
    await insertMessages(running, [
      wanted,
      messageAt(start + 6, { status: 'failed', reason: 'rejected_recipient' }),
      messageAt(start + 7, { status: 'sent' }),
    ]);
    expect(idsOf(await list({ reason: 'expired' }))).toEqual([messageIdOf(wanted.id)]);
    expect(idsOf(await list({ reason: 'expired', status: 'failed' }))).toEqual([messageIdOf(wanted.id)]);
    expect(idsOf(await list({ reason: 'expired', status: 'dropped' }))).toEqual([]);
  });

  it('takes instants in any zone, and goes on where a page ends', async () => {
    const messages = Array.from({ length: 5 }, (_, i) => messageAt(start + i));
    await insertMessages(running, messages);
    const since = new Date(start + 1).toISOString().replace('Z', '+00:00');
    const seen: string[] = [];
    let cursor: string | null | undefined;
    do {
      const page = await list({ since, limit: 2, ...(cursor && { cursor }) });
      seen.push(...idsOf(page));
      cursor = page.next_cursor;
    } while (cursor !== null);
    const expected = messages.slice(1).map(({ id }) => messageIdOf(id));
    expect(seen).toEqual(expected.reverse());
  });

  it.each<[object, string]>([
    [{ status: 'lost' }, `status must be one of ${messageStatuses.join(', ')}`],
    [{ status: ['failed', 'sent'] }, `status must be one of ${messageStatuses.join(', ')}`],
    [{ type: 'letter' }, 'type must be one of signup, recovery, magiclink, email_change, sms'],
    [{ channel: 'fax' }, 'channel must be one of email, sms'],
    [{ provider: 'a b' }, 'provider must be the name of a provider'],
    [{ reason: 'a b' }, 'reason must be the reason of a message, one word'],
    [{ recipient: 'ada@' }, 'recipient must be a whole email address or number'],
    [{ since: 'yesterday' }, 'since must be a date and time with a zone, such as 2026-01-31T12:00:00Z'],
    [{ since: '2026-01-31' }, 'since must be a date and time with a zone, such as 2026-01-31T12:00:00Z'],
    [
      { until: '2026-02-31T25:00:00Z' },
      'until must be a date and time with a zone, such as 2026-01-31T12:00:00Z',
    ],
    [{ limit: '0' }, 'limit must be a whole number from 1 to 200'],
    [{ limit: '201' }, 'limit must be a whole number from 1 to 200'],
    [{ limit: '1e1' }, 'limit must be a whole number from 1 to 200'],
    [{ cursor: 'x' }, 'cursor must be the next_cursor of an earlier answer'],
    [{ cursor: `${'A'.repeat(21)}=` }, 'cursor must be the next_cursor of an earlier answer'],
  ])('refuses %j, saying what is wrong with it', async (query, details) => {
    const { body } = await operator.get('/admin/messages', query).expect(400);
    expect(body).toEqual(errorBodies.invalidField(details));
  });

  it('shows all that is known of one message, by either form of its id', async () => {
    const message = messageAt(start, { recipient: 'whole@example.com', redirectTo: 'https://a.example/x' });
    await insertMessages(running, [message]);
    const attempt = (n: number, outcome: 'transient' | 'sent') => ({
      id: uuidV7(start + n),
      messageId: message.id,
      attempt: n,
      provider: 'smtp',
      receiptId: outcome === 'sent' ? 'r-1' : null,
      outcome,
      error: outcome === 'sent' ? null : 'connection_failed',
      startedAt: new Date(start + n),
      endedAt: new Date(start + n + 1),
    });
    const { manager } = running.app.get(DataSource);
    await manager.insert(DeliveryAttemptEntity, [attempt(2, 'sent'), attempt(1, 'transient')]);
    await manager.insert(DeliveryEventEntity, {
      provider: 'smtp',
      eventId: randomUUID(),
      messageId: message.id,
      kind: 'delivered',
      detail: '2.0.0',
      occurredAt: new Date(start + 10),
      receivedAt: new Date(start + 11),
    });
    for (const id of [messageIdOf(message.id), message.id, message.id.toUpperCase()]) {
      const { body } = await operator.get(`/admin/messages/${id}`).expect(200);
      expect(body).toMatchObject({
        message_id: messageIdOf(message.id),
        recipient: 'whole@example.com',
        redirect_to: 'https://a.example/x',
        delivery_attempts: [
          {
            attempt: 1,
            provider: 'smtp',
            outcome: 'transient',
            error: 'connection_failed',
            receipt_id: null,
          },
          { attempt: 2, provider: 'smtp', outcome: 'sent', error: null, receipt_id: 'r-1' },
        ],
        delivery_events: [{ provider: 'smtp', kind: 'delivered', detail: '2.0.0' }],
      });
    }
    expect(JSON.stringify(running.logLines)).not.toContain('whole@example.com');
  });

  it.each([messageIdOf(randomUUID()), randomUUID(), 'msg_1', '%00', "'", 'x'.repeat(90)])(
    'knows no message %s',
    async (id) => {
      for (const answer of [
        await operator.get(`/admin/messages/${id}`),
        await operator.post(`/admin/messages/${id}/retry`),
        await operator.post(`/admin/messages/${id}/cancel`),
      ]) {
        expect([answer.status, answer.body]).toEqual([
          404,
          expect.objectContaining({ error_code: 'not_found' }),
        ]);
      }
    },
  );

  const retryRule = 'Only a message that is failed, bounced, dropped can be sent again';
  const cancelRule = 'Only a message that is accepted can be cancelled';

  it.each(messageStatuses)('sends a message that is %s again, or says that it cannot', async (status) => {
    const message = messageAt(start, { status, reason: 'some_reason', attempts: 3 });
    await insertMessages(running, [message]);
    const answer = await operator.post(`/admin/messages/${messageIdOf(message.id)}/retry`);
    const row = await repository().findOneByOrFail({ id: message.id });
    if (status === 'failed' || status === 'bounced' || status === 'dropped') {
      const now = new Date(running.clock.now());
      expect([answer.status, answer.body]).toEqual([
        200,
        expect.objectContaining({ status: 'accepted', requeued_at: now.toISOString(), attempts: 3 }),
      ]);
      expect(row).toEqual(
        Object.assign(message, {
          status: 'accepted',
          reason: null,
          requeuedAt: now,
          dueAt: now,
          endedAt: null,
        }),
      );
    } else {
      expect([answer.status, answer.body]).toEqual([409, errorBodies.statusConflict(retryRule)]);
      expect(row).toEqual(message);
    }
  });

  it.each(messageStatuses)('cancels a message that is %s, or says that it cannot', async (status) => {
    const message = messageAt(start, { status, reason: 'some_reason' });
    await insertMessages(running, [message]);
    const answer = await operator.post(`/admin/messages/${messageIdOf(message.id)}/cancel`);
    const row = await repository().findOneByOrFail({ id: message.id });
    if (status === 'accepted') {
      expect([answer.status, answer.body]).toEqual([
        200,
        expect.objectContaining({ status: 'dropped', reason: 'cancelled' }),
      ]);
      expect(row).toMatchObject({
        status: 'dropped',
        reason: 'cancelled',
        endedAt: new Date(running.clock.now()),
      });
    } else {
      expect([answer.status, answer.body]).toEqual([409, errorBodies.statusConflict(cancelRule)]);
      expect(row).toEqual(message);
    }
  });

  it('lets exactly one of a worker and an operator have a message', async () => {
    const messages = Array.from({ length: 60 }, (_, i) =>
      messageAt(start + i, { status: 'accepted', attempts: 0 }),
    );
    await insertMessages(running, messages);
    const queue = running.app.get(MessageQueue);
    const claims = Array.from({ length: 30 }, async () => queue.claim(2));
    const cancels = messages.map(({ id }) => operator.post(`/admin/messages/${id}/cancel`));
    const claimed = new Set((await Promise.all(claims)).flat().map(({ id }) => id));
    const answers = await Promise.all(cancels);
    for (const [i, { id }] of messages.entries()) {
      expect([id, answers[i]?.status]).toEqual([id, claimed.has(id) ? 409 : 200]);
      const { status } = await repository().findOneByOrFail({ id });
      expect(status).toBe(claimed.has(id) ? 'sending' : 'dropped');
    }
  });

  it('sends a message again once, however many operators ask at once', async () => {
    const message = messageAt(start, { status: 'failed' });
    await insertMessages(running, [message]);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => operator.post(`/admin/messages/${message.id}/retry`)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(19).fill(409)]);
  });

  describe('a replay', () => {
    const since = () => new Date(start + 10).toISOString();
    const until = () => new Date(start + 1_310).toISOString();
    const requeued = async () =>
      (await repository().findBy({ status: 'accepted' })).map(({ id }) => id).sort();

    it('sends again what failed in the time, and nothing else', async () => {
      const inTime = Array.from({ length: 1_300 }, (_, i) => messageAt(start + 10 + i, { status: 'failed' }));
      const others = [
        messageAt(start + 9, { status: 'failed' }),
        messageAt(start + 1_310, { status: 'failed' }),
        ...messageStatuses
          .filter((status) => status !== 'failed' && status !== 'accepted')
          .map((status) => messageAt(start + 100, { status })),
      ];
      await insertMessages(running, [...inTime, ...others]);
      const { body } = await operator
        .post('/admin/messages/replay', { since: since(), until: until(), limit: 10_000 })
        .expect(200);
      expect(body).toEqual({ replayed: 1_300, next_cursor: null });
      expect(await requeued()).toEqual(inTime.map(({ id }) => id).sort());
      const row = await repository().findOneByOrFail({ id: inTime[700]!.id });
      const now = new Date(running.clock.now());
      expect(row).toMatchObject({
        status: 'accepted',
        dueAt: now,
        requeuedAt: now,
        endedAt: null,
        attempts: 1,
      });
    });

    it('can be narrowed to a status, a reason and a type', async () => {
      const wanted = messageAt(start + 20, { status: 'dropped', reason: 'cancelled', type: 'recovery' });
      await insertMessages(running, [
        wanted,
        messageAt(start + 20, { status: 'failed', reason: 'cancelled', type: 'recovery' }),
        messageAt(start + 20, { status: 'dropped', reason: 'banned', type: 'recovery' }),
        messageAt(start + 20, { status: 'dropped', reason: 'cancelled', type: 'signup' }),
      ]);
      const { body } = await operator
        .post('/admin/messages/replay', {
          since: since(),
          status: 'dropped',
          reason: 'cancelled',
          type: 'recovery',
        })
        .expect(200);
      expect(body).toEqual({ replayed: 1, next_cursor: null });
      expect(await requeued()).toEqual([wanted.id]);
    });

    it('stops at its limit, and goes on from there without repeating what failed anew', async () => {
      const failed = Array.from({ length: 700 }, (_, i) => messageAt(start + 10 + i, { status: 'failed' }));
      await insertMessages(running, failed);
      const first = await operator.post('/admin/messages/replay', { since: since(), limit: 600 }).expect(200);
      const { next_cursor: cursor, ...counted } = first.body as { next_cursor: string };
      expect(counted).toEqual({ replayed: 600 });
      await repository().update({ status: 'accepted' }, { status: 'failed' });
      const rest = await operator.post('/admin/messages/replay', { since: since(), cursor }).expect(200);
      expect(rest.body).toEqual({ replayed: 100, next_cursor: null });
      expect(await requeued()).toEqual(failed.slice(600).map(({ id }) => id));
    });

    it('takes each message once, however many operators ask at once', async () => {
      const failed = Array.from({ length: 500 }, (_, i) => messageAt(start + 10 + i, { status: 'failed' }));
      await insertMessages(running, failed);
      const answers = await Promise.all(
        Array.from({ length: 4 }, () => operator.post('/admin/messages/replay', { since: since() })),
      );
      const sum = answers.reduce((total, { body }) => total + (body as { replayed: number }).replayed, 0);
      expect(sum).toBe(500);
    });

    it.each<[object, object]>([
      [{}, { ...errorBodies.invalidField('Since is required'), msg: 'Missing required field' }],
      [
        { since: '2026-01-31T12:00:00Z', status: 'sent' },
        errorBodies.invalidField('status must be one of failed, bounced, dropped'),
      ],
      [
        { since: '2026-01-31T12:00:00Z', limit: 10_001 },
        errorBodies.invalidField('limit must be a whole number from 1 to 10000'),
      ],
      [
        { since: '2026-01-31T12:00:00Z', reason: { $ne: 1 } },
        errorBodies.invalidField('reason must be the reason of a message, one word'),
      ],
    ])('is refused: %j', async (request, body) => {
      expect((await operator.post('/admin/messages/replay', request).expect(400)).body).toEqual(body);
    });
  });
});

describe('what operators do while messages are delivered', () => {
  let running: RunningApp;
  let operator: ReturnType<typeof operatorOf>;
  let smtp: ScriptedSmtpServer;

  beforeAll(async () => {
    smtp = await ScriptedSmtpServer.start();
    running = await startApp({ env: { ...env, SMTP_URL: smtp.url, LIFETIME_RECOVERY: '10m' } });
    operator = operatorOf(running);
  });
  afterAll(async () => {
    await running.stop();
    await smtp.stop();
  });
  beforeEach(() => smtp.behave());

  const mailsTo = (email: string) => smtp.received.filter(({ to }) => to.includes(email));

  it('a retry is delivered at once, and the attempts before it stay', async () => {
    const email = 'late@example.com';
    const id = await resend(running, { type: 'recovery', email });
    expect(await ended(running, id)).toMatchObject({ status: 'dropped', reason: 'unknown_user' });
    await insertUser(running, { email });
    await operator.post(`/admin/messages/${id}/retry`).expect(200);
    await eventually('the mail', () => mailsTo(email).length === 1);
    expect(await ended(running, id)).toEqual({ status: 'sent', reason: null, attempts: 2 });
    const { body } = await operator.get(`/admin/messages/${id}`).expect(200);
    expect(body).toMatchObject({ status: 'sent', requeued_at: new Date(running.clock.now()).toISOString() });
  });

  it('a replay after an outage sends codes that work, though those of the time have expired', async () => {
    const emails = ['o1@example.com', 'o2@example.com'];
    for (const email of emails) await insertUser(running, { email });
    smtp.refuseAt('rcpt', 550, 'No such mailbox');
    const since = new Date(running.clock.now()).toISOString();
    const ids = [];
    for (const email of emails) ids.push(await resend(running, { type: 'recovery', email }));
    for (const id of ids) expect(await ended(running, id)).toMatchObject({ status: 'failed' });
    smtp.behave();
    running.clock.advance(11 * minute);
    const { body } = await operator.post('/admin/messages/replay', { since }).expect(200);
    expect(body).toEqual({ replayed: 2, next_cursor: null });
    for (const [i, email] of emails.entries()) {
      await eventually(`the mail to ${email}`, () => mailsTo(email).length === 1);
      expect(await ended(running, ids[i] ?? '')).toMatchObject({ status: 'sent' });
      const [token] = /\b\d{6}\b/.exec(mailsTo(email)[0]?.parsed.text ?? '') ?? [];
      await running.http.post('/verify').send({ type: 'recovery', email, token }).expect(200);
    }
  });

  it('a message is cancelled or sent, never both, while workers take what is due', async () => {
    const emails = Array.from({ length: 40 }, (_, i) => `race${i}@example.com`);
    for (const email of emails) await insertUser(running, { email });
    const messages = emails.map((recipient) =>
      messageAt(running.clock.now(), { recipient, type: 'recovery', status: 'accepted', attempts: 0 }),
    );
    await insertMessages(running, messages);
    const cancels = messages.map(async ({ id }, i) => {
      if (i === 5) running.app.get(OutboxWorker).wake();
      return operator.post(`/admin/messages/${id}/cancel`);
    });
    const answers = await Promise.all(cancels);
    for (const [i, { id }] of messages.entries()) {
      const row = await ended(running, messageIdOf(id));
      const isCancelled = answers[i]?.status === 200;
      expect(row).toMatchObject(
        isCancelled ? { status: 'dropped', reason: 'cancelled' } : { status: 'sent', reason: null },
      );
      expect(mailsTo(emails[i] ?? '')).toHaveLength(isCancelled ? 0 : 1);
    }
  });
});
