import { randomUUID } from 'node:crypto';
import { TypeOrmUsersRepository, UserEntity } from '../../src/auth/users/typeorm-users.repository.js';
import type { NewUser } from '../../src/auth/users/users.repository.js';
import { type OpenDatabase, openDatabase } from '../support/open-database.js';
import { databaseKinds } from '../support/services.js';
import { TestClock } from '../support/test-clock.js';

describe.each(databaseKinds)('UsersRepository and UserRegistration: TypeOrmUsersRepository on %s', (kind) => {
  let database: OpenDatabase;
  let clock: TestClock;
  let users: TypeOrmUsersRepository;

  beforeAll(async () => {
    database = await openDatabase(kind);
  });
  afterAll(() => database.close());
  beforeEach(() => {
    clock = new TestClock();
    users = new TypeOrmUsersRepository(database.transaction, clock);
  });

  const anEmail = () => `${randomUUID()}@example.com`;
  const aPhone = () => `+1${String(Math.random()).slice(2, 14).padEnd(12, '0')}`;

  async function added(fields: Partial<NewUser> = {}): Promise<NewUser> {
    const user: NewUser = {
      id: randomUUID(),
      email: null,
      phone: null,
      passwordHash: '$scrypt$',
      metadata: {},
      createdAt: new Date(clock.now()),
      ...fields,
    };
    await users.addIfAbsent(user);
    return user;
  }

  it('adds an unconfirmed user with what was given', async () => {
    const metadata = { name: 'Ada', nested: [{ deep: '🦉' }], 'quote"\'': null };
    const { id, email } = await added({ email: anEmail(), metadata });
    expect(await users.findById(id)).toMatchObject({
      id,
      email,
      phone: null,
      emailConfirmedAt: null,
      phoneConfirmedAt: null,
      pendingEmail: null,
      pendingPhone: null,
      bannedUntil: null,
      metadata,
      createdAt: new Date(clock.now()),
    });
  });

  it('tells nothing of somebody whose address is next to the one that is asked for', async () => {
    const { email, phone } = await added({ email: anEmail(), phone: aPhone() });
    expect(await users.find('email', `${email}a`)).toBeNull();
    expect(await users.find('email', email?.slice(0, -1) ?? '')).toBeNull();
    expect(await users.find('phone', `${phone}0`)).toBeNull();
    expect(await users.find('pendingPhone', `${phone}0`)).toBeNull();
    expect(await users.find('email', email ?? '')).toMatchObject({ email, phone });
  });

  it('leaves the user alone who has the address already', async () => {
    const first = await added({ email: anEmail(), metadata: { mine: true } });
    const second = await added({ email: first.email, passwordHash: 'other', metadata: { mine: false } });
    expect(await users.findById(second.id)).toBeNull();
    expect(await users.find('email', first.email ?? '')).toMatchObject({
      id: first.id,
      metadata: { mine: true },
    });
  });

  it('adds one of 20 who want the same address at once', async () => {
    const email = anEmail();
    const all = await Promise.all(Array.from({ length: 20 }, () => added({ email })));
    const found = await Promise.all(all.map(({ id }) => users.findById(id)));
    expect(found.filter((user) => user !== null)).toHaveLength(1);
  });

  it('finds by each key, and null when there is nobody', async () => {
    const { id, email, phone } = await added({ email: anEmail(), phone: aPhone() });
    const [newEmail, newPhone] = [anEmail(), aPhone()];
    await users.requestChange(id, 'email', newEmail);
    await users.requestChange(id, 'sms', newPhone);
    expect((await users.find('email', email ?? ''))?.id).toBe(id);
    expect((await users.find('phone', phone ?? ''))?.id).toBe(id);
    expect((await users.find('pendingEmail', newEmail))?.id).toBe(id);
    expect((await users.find('pendingPhone', newPhone))?.id).toBe(id);
    expect(await users.find('email', newEmail)).toBeNull();
    expect(await users.findById(randomUUID())).toBeNull();
  });

  it('confirms an address once: the second time changes nothing', async () => {
    const { id, email } = await added({ email: anEmail() });
    const confirmedAt = new Date(clock.now());
    expect(await users.confirm(id, 'email', email ?? '')).toMatchObject({
      id,
      emailConfirmedAt: confirmedAt,
    });
    clock.advance(5_000);
    expect(await users.confirm(id, 'email', email ?? '')).toMatchObject({
      id,
      emailConfirmedAt: confirmedAt,
    });
  });

  it.each([
    ['email', anEmail, 'pendingEmail', 'email', 'emailConfirmedAt'],
    ['sms', aPhone, 'pendingPhone', 'phone', 'phoneConfirmedAt'],
  ] as const)('moves a pending %s into place', async (channel, anAddress, pending, field, confirmedAt) => {
    const [old, next] = [anAddress(), anAddress()];
    const { id } = await added({ [field]: old });
    await users.confirm(id, channel, old);
    expect(await users.requestChange(id, channel, next)).toMatchObject({ [field]: old, [pending]: next });
    clock.advance(1_000);
    expect(await users.confirm(id, channel, next)).toMatchObject({
      [field]: next,
      [pending]: null,
      [confirmedAt]: new Date(clock.now()),
    });
    expect(await users.find(field, old)).toBeNull();
  });

  it('keeps the pending address when the present one is confirmed', async () => {
    const { id, email } = await added({ email: anEmail() });
    const next = anEmail();
    await users.requestChange(id, 'email', next);
    expect(await users.confirm(id, 'email', email ?? '')).toMatchObject({ email, pendingEmail: next });
  });

  it('confirms nothing that is not, or no longer, the address of the user', async () => {
    const { id } = await added({ email: anEmail() });
    const given = anEmail();
    await users.requestChange(id, 'email', given);
    await users.requestChange(id, 'email', anEmail());
    expect(await users.confirm(id, 'email', given)).toBeNull();
    expect(await users.confirm(id, 'sms', given)).toBeNull();
    expect(await users.confirm(randomUUID(), 'email', given)).toBeNull();
  });

  it('refuses an address that somebody else has taken meanwhile, without spoiling the transaction', async () => {
    const wanted = anEmail();
    const { id, email } = await added({ email: anEmail() });
    await users.requestChange(id, 'email', wanted);
    await added({ email: wanted });
    const after = await database.transaction.run(async () => {
      expect(await users.confirm(id, 'email', wanted)).toBeNull();
      return users.findById(id);
    });
    expect(after).toMatchObject({ email, pendingEmail: wanted });
  });

  it('lets one of two have the pending address that both confirm at once', async () => {
    const wanted = anEmail();
    const both = [await added({ email: anEmail() }), await added({ email: anEmail() })];
    for (const { id } of both) await users.requestChange(id, 'email', wanted);
    const outcomes = await Promise.all(both.map(({ id }) => users.confirm(id, 'email', wanted)));
    expect(outcomes.filter((user) => user !== null)).toHaveLength(1);
  });

  it('finds the one who asked last when several wait for the same address', async () => {
    const wanted = anEmail();
    const [first, second] = [await added({ email: anEmail() }), await added({ email: anEmail() })];
    await users.requestChange(first.id, 'email', wanted);
    clock.advance(1);
    await users.requestChange(second.id, 'email', wanted);
    expect((await users.find('pendingEmail', wanted))?.id).toBe(second.id);
    clock.advance(1);
    await users.requestChange(first.id, 'email', wanted);
    expect((await users.find('pendingEmail', wanted))?.id).toBe(first.id);
  });

  it('forgets when a change was asked for once none is pending', async () => {
    const { id } = await added({ email: anEmail() });
    const [newEmail, newPhone] = [anEmail(), aPhone()];
    await users.requestChange(id, 'email', newEmail);
    await users.requestChange(id, 'sms', newPhone);
    await users.confirm(id, 'email', newEmail);
    const repository = database.dataSource.getRepository(UserEntity);
    expect((await repository.findOneByOrFail({ id })).pendingSince).not.toBeNull();
    await users.confirm(id, 'sms', newPhone);
    expect((await repository.findOneByOrFail({ id })).pendingSince).toBeNull();
  });

  it('asks for no change of a user who does not exist', async () => {
    expect(await users.requestChange(randomUUID(), 'email', anEmail())).toBeNull();
  });
});
