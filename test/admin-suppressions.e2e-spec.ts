import { randomBytes } from 'node:crypto';
import { DataSource } from 'typeorm';
import { SuppressionEntity, SuppressionList } from '../src/auth/messages/suppression-list.js';
import { errorBodies } from './support/error-bodies.js';
import { operatorOf, serviceKey } from './support/operator.js';
import { type RunningApp, startApp } from './support/start-app.js';

type Entry = Record<string, unknown> & { id: string };
interface Page {
  suppressions: Entry[];
  next_cursor: string | null;
}

describe('the suppression list in the hands of operators', () => {
  let running: RunningApp;
  let operator: ReturnType<typeof operatorOf>;
  const repository = () => running.app.get(DataSource).getRepository(SuppressionEntity);
  const contains = (email: string) => running.app.get(SuppressionList).contains('email', email);
  const path = '/admin/suppressions';
  const page = async (query: object = {}) => (await operator.get(path, query).expect(200)).body as Page;

  beforeAll(async () => {
    running = await startApp({ env: { SERVICE_KEY: serviceKey } });
    operator = operatorOf(running);
  });
  afterAll(() => running.stop());
  beforeEach(() => repository().clear());

  it('takes an address on, in whatever spelling, and keeps only its hash', async () => {
    const { body } = await operator.post(path, { email: ' Some.Body@EXAMPLE.com ' }).expect(200);
    expect(body).toEqual({
      id: expect.stringMatching(/^[\w-]{43}$/) as string,
      channel: 'email',
      reason: 'operator',
      recipient: 's***@example.com',
      message_id: null,
      created_at: new Date(running.clock.now()).toISOString(),
    });
    expect(await contains('some.body@example.com')).toBe(true);
    const stored = JSON.stringify(await repository().find());
    expect(stored + JSON.stringify(running.logLines)).not.toContain('some.body');
    await operator.post(path, { phone: '+1 (555) 000-1234' }).expect(200);
    expect((await page()).suppressions).toContainEqual(
      expect.objectContaining({ channel: 'sms', recipient: '+1*****1234' }),
    );
  });

  it('keeps the reason and the time of an address that is on it', async () => {
    const list = running.app.get(SuppressionList);
    await list.add('email', 'bounced@example.com', 'hard_bounce');
    const before = new Date(running.clock.now()).toISOString();
    running.clock.advance(1_000);
    const { body } = await operator.post(path, { email: 'bounced@example.com' }).expect(200);
    expect(body).toMatchObject({ reason: 'hard_bounce', created_at: before });
    expect((await page()).suppressions).toEqual([body]);
  });

  it('lets an address go that is named, once', async () => {
    await operator.post(path, { email: 'back@example.com' }).expect(200);
    await operator.post(`${path}/lift`, { email: 'BACK@example.com' }).expect(204);
    expect(await contains('back@example.com')).toBe(false);
    const { body } = await operator.post(`${path}/lift`, { email: 'back@example.com' }).expect(404);
    expect(body).toEqual(errorBodies.notListed);
  });

  it('lets an entry go whose address nobody remembers', async () => {
    const { body } = await operator.post(path, { email: 'forgotten@example.com' }).expect(200);
    await operator.post(path, { email: 'other@example.com' }).expect(200);
    await operator.delete(`${path}/${(body as Entry).id}`).expect(204);
    expect([await contains('forgotten@example.com'), await contains('other@example.com')]).toEqual([
      false,
      true,
    ]);
    await operator.delete(`${path}/${(body as Entry).id}`).expect(404, errorBodies.notListed);
  });

  it.each(['x', '%00', `${'A'.repeat(42)}=`, 'A'.repeat(43), "'--", 'A'.repeat(90)])(
    'has no entry %s',
    async (id) => {
      const { body } = await operator.delete(`${path}/${id}`).expect(404);
      expect(body).toMatchObject({ error_code: 'not_found' });
    },
  );

  it('is the same in pages of any size, also within one millisecond, while entries are added', async () => {
    const entries = Array.from({ length: 23 }, (_, i) => ({
      key: randomBytes(32),
      channel: 'email' as const,
      reason: 'complaint' as const,
      maskedIdentifier: `${i}***@example.com`,
      messageId: null,
      createdAt: new Date(running.clock.now() - 1_000 * Math.floor(i / 6)),
    }));
    await repository().insert(entries);
    const whole = (await page({ limit: 200 })).suppressions;
    expect(whole).toHaveLength(23);
    const times = whole.map(({ created_at: at }) => String(at));
    expect(times).toEqual([...times].sort().reverse());
    for (const limit of [1, 2, 5, 6, 22, 23]) {
      const seen: Entry[] = [];
      let cursor: string | null | undefined;
      do {
        const next = await page({ limit, ...(cursor && { cursor }) });
        seen.push(...next.suppressions);
        cursor = next.next_cursor;
        running.clock.advance(1);
        await operator.post(path, { email: `later${seen.length}x${limit}@example.com` }).expect(200);
      } while (cursor !== null);
      const known = new Set(entries.map(({ key }) => key.toString('base64url')));
      expect(seen.filter(({ id }) => known.has(id))).toEqual(whole);
      expect(new Set(seen.map(({ id }) => id)).size).toBe(seen.length);
    }
  });

  it.each<[object, string]>([
    [{ limit: 'all' }, 'limit must be a whole number from 1 to 200'],
    [{ cursor: 'x' }, 'cursor must be the next_cursor of an earlier answer'],
    [{ cursor: `________${'A'.repeat(43)}` }, 'cursor must be the next_cursor of an earlier answer'],
    [{ cursor: ['A', 'B'] }, 'cursor must be the next_cursor of an earlier answer'],
  ])('refuses %j', async (query, details) => {
    expect((await operator.get(path, query).expect(400)).body).toEqual(errorBodies.invalidField(details));
  });

  it.each<[object, string]>([
    [{}, 'Email or phone number is required'],
    [{ email: 'x@example.com', phone: '+1234567890' }, 'Send email or phone, not both'],
    [{ email: 'x@' }, 'email must be a valid email address of at most 254 characters'],
  ])('refuses to take on or lift %j', async (request, details) => {
    for (const to of [path, `${path}/lift`]) {
      expect((await operator.post(to, request).expect(400)).body).toMatchObject({ details });
    }
  });
});
