import { randomBytes, randomUUID } from 'node:crypto';
import { LinkStates, UsedLinkEntity } from '../../src/auth/tokens/link-states.js';
import { TokenService } from '../../src/auth/tokens/token.service.js';
import type { TokenSubject } from '../../src/auth/tokens/token-hashes.js';
import { KeyedHash } from '../../src/platform/keyed-hash.js';
import { type OpenDatabase, openDatabase } from '../support/open-database.js';
import { databaseKinds } from '../support/services.js';
import { TestClock } from '../support/test-clock.js';

const hours = 3_600_000;
const days = 24 * hours;

describe.each(databaseKinds)('LinkStates on %s', (kind) => {
  let database: OpenDatabase;
  let clock: TestClock;
  const [key, otherKey] = [randomBytes(32), randomBytes(32)];

  beforeAll(async () => {
    database = await openDatabase(kind);
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    clock = new TestClock();
    await database.dataSource.getRepository(UsedLinkEntity).clear();
  });

  const tokensUnder = (...keys: [Buffer, ...Buffer[]]) =>
    new TokenService(database.transaction, new KeyedHash(...keys), clock, database.config);
  const statesUnder = (...keys: [Buffer, ...Buffer[]]) =>
    new LinkStates(database.transaction, new KeyedHash(...keys), clock);
  const stateOf = (link: string) => statesUnder(key).of(link, 'signup');

  const tokenSubject = (fields: Partial<TokenSubject> = {}): TokenSubject => ({
    userId: randomUUID(),
    purpose: 'signup',
    recipient: 'user@example.com',
    ...fields,
  });

  async function linkOf(subject: TokenSubject, ...keys: Buffer[]): Promise<string> {
    const [first = key, ...others] = keys;
    return (await tokensUnder(first, ...others).mint({ ...subject, withLink: true })).link ?? '';
  }

  async function use(link: string, purpose: TokenSubject['purpose'] = 'signup'): Promise<void> {
    const tokens = tokensUnder(key, otherKey);
    const token = await tokens.findByLink(link, purpose);
    expect(token && (await database.transaction.run(() => tokens.consume(token)))).toBe(true);
  }

  it('calls a link live until it is used, and used from then on', async () => {
    const link = await linkOf(tokenSubject());
    expect(await stateOf(link)).toBe('live');
    expect(await stateOf(link)).toBe('live');
    await use(link);
    expect(await stateOf(link)).toBe('used');
  });

  it('calls every link used that the use of one has ended', async () => {
    const subject = tokenSubject();
    const links = [await linkOf(subject), await linkOf(subject), await linkOf(subject)];
    await use(links[1] ?? '');
    expect(await Promise.all(links.map(stateOf))).toEqual(['used', 'used', 'used']);
  });

  it('calls the links used when it was the code that was used', async () => {
    const subject = tokenSubject();
    const tokens = tokensUnder(key);
    const { link, code } = await tokens.mint({ ...subject, withLink: true });
    const token = await tokens.findByCode(code, subject);
    await database.transaction.run(async () => token !== null && (await tokens.consume(token)));
    expect(await stateOf(link ?? '')).toBe('used');
  });

  it('does not tell a link that is overdue from one that nobody has sent', async () => {
    const link = await linkOf(tokenSubject());
    clock.advance(24 * hours - 1);
    expect(await stateOf(link)).toBe('live');
    clock.advance(1);
    expect(await stateOf(link)).toBe('none');
    expect(await stateOf(randomBytes(32).toString('base64url'))).toBe('none');
    expect(await stateOf('')).toBe('none');
  });

  it('knows a link for its own purpose only, live or used', async () => {
    const link = await linkOf(tokenSubject());
    expect(await statesUnder(key).of(link, 'recovery')).toBe('none');
    await use(link);
    expect(await statesUnder(key).of(link, 'recovery')).toBe('none');
  });

  it('does not call a link used that led to another address than the one that was confirmed', async () => {
    const subject = tokenSubject({ purpose: 'email_change', recipient: 'first@example.com' });
    const [first, second] = [
      await linkOf(subject),
      await linkOf({ ...subject, recipient: 'second@example.com' }),
    ];
    await use(second, 'email_change');
    expect(await statesUnder(key).of(second, 'email_change')).toBe('used');
    expect(await statesUnder(key).of(first, 'email_change')).toBe('none');
  });

  it('remembers nothing of a use that was rolled back', async () => {
    const link = await linkOf(tokenSubject());
    const tokens = tokensUnder(key);
    const failing = database.transaction.run(async () => {
      const token = await tokens.findByLink(link, 'signup');
      expect(token && (await tokens.consume(token))).toBe(true);
      expect(await stateOf(link)).toBe('used');
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    expect(await stateOf(link)).toBe('live');
  });

  it('never sees a link as neither live nor used while it is being used', async () => {
    const link = await linkOf(tokenSubject());
    const looking = Array.from({ length: 60 }, () => stateOf(link));
    const using = use(link);
    looking.push(...Array.from({ length: 60 }, () => stateOf(link)));
    const seen = await Promise.all(looking);
    await using;
    expect(seen).not.toContain('none');
    expect(await stateOf(link)).toBe('used');
  });

  it('remembers a used link for thirty days, long after its own time', async () => {
    const link = await linkOf(tokenSubject());
    await use(link);
    clock.advance(30 * days - 1);
    expect(await stateOf(link)).toBe('used');
    clock.advance(1);
    expect(await stateOf(link)).toBe('none');
  });

  it('keeps keyed hashes of used links, and nothing that says whose they were', async () => {
    const link = await linkOf(tokenSubject());
    await use(link);
    const rows = await database.dataSource.query<Record<string, unknown>[]>('SELECT * FROM used_links');
    expect(rows.map((row) => Object.keys(row).sort())).toEqual([['expires_at', 'link_hash', 'purpose']]);
    expect(String(rows[0]?.['link_hash'])).not.toContain(link);
    expect(rows[0]?.['link_hash']).toHaveLength(32);
  });

  describe('while the hashing key is changed', () => {
    it('knows a link that was used under the previous key', async () => {
      const link = await linkOf(tokenSubject(), otherKey);
      expect(await statesUnder(key, otherKey).of(link, 'signup')).toBe('live');
      await use(link);
      for (const states of [statesUnder(key, otherKey), statesUnder(otherKey, key), statesUnder(otherKey)]) {
        expect(await states.of(link, 'signup')).toBe('used');
      }
    });

    it('says of a link whose key was dropped what it says of an unknown one', async () => {
      const link = await linkOf(tokenSubject(), otherKey);
      await use(link);
      expect(await stateOf(link)).toBe('none');
    });
  });
});
