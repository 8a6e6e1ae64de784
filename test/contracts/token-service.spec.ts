import crypto, { randomBytes, randomUUID } from 'node:crypto';
import { TokenEntity } from '../../src/auth/tokens/token.statements.js';
import { TokenService } from '../../src/auth/tokens/token.service.js';
import type { TokenSubject } from '../../src/auth/tokens/token-hashes.js';
import { KeyedHash } from '../../src/platform/keyed-hash.js';
import { type OpenDatabase, openDatabase } from '../support/open-database.js';
import { databaseKinds } from '../support/services.js';
import { TestClock } from '../support/test-clock.js';

const hours = 3_600_000;

describe.each(databaseKinds)('TokenService on %s', (kind) => {
  let database: OpenDatabase;
  let clock: TestClock;
  let tokens: TokenService;
  const hash = new KeyedHash(randomBytes(32));

  beforeAll(async () => {
    database = await openDatabase(kind);
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    clock = new TestClock();
    tokens = new TokenService(database.transaction, hash, clock, database.config);
    await database.dataSource.getRepository(TokenEntity).clear();
  });

  const rows = () => database.dataSource.getRepository(TokenEntity).find();
  const tokenSubject = (fields: Partial<TokenSubject> = {}): TokenSubject => ({
    userId: randomUUID(),
    purpose: 'signup',
    recipient: 'user@example.com',
    ...fields,
  });

  /** What a code or link is good for, all of it: found, then used. */
  async function useCode(code: string, subject: TokenSubject): Promise<boolean> {
    const token = await tokens.findByCode(code, subject);
    return token !== null && database.transaction.run(() => tokens.consume(token));
  }

  async function useLink(link: string): Promise<boolean> {
    const token = await tokens.findByLink(link, 'signup');
    return token !== null && database.transaction.run(() => tokens.consume(token));
  }

  it('mints a link of 256 bits and a code of six digits, and keeps neither', async () => {
    const subject = tokenSubject();
    const { link, code, expiresAt } = await tokens.mint({ ...subject, withLink: true });
    expect(link).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(code).toMatch(/^\d{6}$/);
    expect(expiresAt.getTime()).toBe(clock.now() + 24 * hours);
    const [row] = await rows();
    expect(row).toMatchObject(subject);
    const stored = [JSON.stringify(row), String(row?.codeHash), String(row?.linkHash)].join();
    expect(stored).not.toContain(code);
    expect(stored).not.toContain(link);
  });

  it('mints no link where none can travel', async () => {
    const subject = tokenSubject({ purpose: 'sms', recipient: '+1234567890' });
    const { link, expiresAt } = await tokens.mint({ ...subject, withLink: false });
    expect(link).toBeNull();
    expect(expiresAt.getTime()).toBe(clock.now() + 600_000);
  });

  it('gives the same code for two people hashes that differ', async () => {
    const hashes = new Set<string>();
    for (let i = 0; i < 3; i += 1) await tokens.mint({ ...tokenSubject(), withLink: false });
    for (const { codeHash } of await rows()) hashes.add(String(codeHash?.toString('hex')));
    expect(hashes.size).toBe(3);
    const [a, b] = [tokenSubject(), tokenSubject()];
    const { code } = await tokens.mint({ ...a, withLink: false });
    await tokens.mint({ ...b, withLink: false });
    expect(await tokens.findByCode(code, { ...a, userId: b.userId })).toBeNull();
  });

  it('finds by link and by code what it minted, as often as one looks', async () => {
    const subject = tokenSubject();
    const { link, code } = await tokens.mint({ ...subject, withLink: true });
    for (let i = 0; i < 2; i += 1) {
      expect(await tokens.findByLink(link ?? '', 'signup')).toMatchObject(subject);
      expect(await tokens.findByCode(code, subject)).toMatchObject(subject);
    }
  });

  it('binds a secret to its user, purpose and recipient', async () => {
    const subject = tokenSubject();
    const { link, code } = await tokens.mint({ ...subject, withLink: true });
    expect(await tokens.findByLink(link ?? '', 'recovery')).toBeNull();
    expect(await tokens.findByCode(code, { ...subject, purpose: 'recovery' })).toBeNull();
    expect(await tokens.findByCode(code, { ...subject, recipient: 'other@example.com' })).toBeNull();
    expect(await tokens.findByCode(code, { ...subject, userId: randomUUID() })).toBeNull();
    expect(await tokens.findByLink('', 'signup')).toBeNull();
    expect(await tokens.findByLink(`${link}x`, 'signup')).toBeNull();
  });

  it('compares a guess with every code that is alive, in constant time, right or wrong', async () => {
    const subject = tokenSubject();
    const codes: string[] = [];
    for (let i = 0; i < 3; i += 1) {
      codes.push((await tokens.mint({ ...subject, withLink: true })).code);
      // Half a lifetime later a message has a code of its own.
      clock.advance(8 * hours);
    }
    const alive = (await rows()).filter(({ expiresAt }) => expiresAt.getTime() > clock.now());
    expect(alive.length).toBeGreaterThan(1);
    const compare = jest.spyOn(crypto, 'timingSafeEqual');
    try {
      const wrong = String((Number(codes[2]) + 1) % 1_000_000).padStart(6, '0');
      for (const code of [codes[2] ?? '', wrong]) {
        compare.mockClear();
        await tokens.findByCode(code, subject);
        const comparisons = compare.mock.calls.length;
        expect(comparisons).toBeGreaterThan(alive.length);
        compare.mockClear();
        await tokens.findByCode(code, tokenSubject());
        expect(compare).toHaveBeenCalledTimes(comparisons);
      }
    } finally {
      compare.mockRestore();
    }
  });

  it('keeps a code in one row, however often it is repeated, and good for as long as the last message says', async () => {
    const subject = tokenSubject();
    const first = await tokens.mint({ ...subject, withLink: true });
    clock.advance(hours);
    for (let i = 0; i < 20; i++) await tokens.mint({ ...subject, withLink: true });
    const own = (await rows()).filter(({ userId }) => userId === subject.userId);
    expect(own).toHaveLength(21);
    expect(own.filter(({ codeHash }) => codeHash !== null)).toHaveLength(1);
    clock.advance(24 * hours - 1);
    expect(await tokens.findByLink(first.link ?? '', 'signup')).toBeNull();
    expect(await tokens.findByCode(first.code, subject)).not.toBeNull();
    clock.advance(1);
    expect(await tokens.findByCode(first.code, subject)).toBeNull();
  });

  it('lets a secret expire at its time and not a millisecond before', async () => {
    const subject = tokenSubject();
    const { link, code } = await tokens.mint({ ...subject, withLink: true });
    clock.advance(24 * hours - 1);
    expect(await tokens.findByCode(code, subject)).not.toBeNull();
    expect(await tokens.findByLink(link ?? '', 'signup')).not.toBeNull();
    clock.advance(1);
    expect(await tokens.findByCode(code, subject)).toBeNull();
    expect(await tokens.findByLink(link ?? '', 'signup')).toBeNull();
  });

  it('keeps the earlier secrets when another is minted, and ends them all with the first use', async () => {
    const subject = tokenSubject();
    const first = await tokens.mint({ ...subject, withLink: true });
    const second = await tokens.mint({ ...subject, withLink: true });
    const elsewhere = await tokens.mint({ ...subject, purpose: 'recovery', withLink: true });
    expect(await useCode(first.code, subject)).toBe(true);
    expect(await useCode(first.code, subject)).toBe(false);
    expect(await useCode(second.code, subject)).toBe(false);
    expect(await useLink(second.link ?? '')).toBe(false);
    expect(await tokens.findByLink(elsewhere.link ?? '', 'recovery')).not.toBeNull();
  });

  it('repeats the code in the messages of one person, purpose and address, and in no others', async () => {
    const subject = tokenSubject();
    const { code, link } = await tokens.mint({ ...subject, withLink: true });
    clock.advance(6 * hours);
    const second = await tokens.mint({ ...subject, withLink: true });
    expect(second.code).toBe(code);
    expect(second.link).not.toBe(link);
    const others = [
      { purpose: 'recovery' },
      { recipient: 'new@example.com' },
      { userId: randomUUID() },
    ] as const;
    const codes = new Set([code]);
    for (const other of others) codes.add((await tokens.mint({ ...subject, ...other, withLink: true })).code);
    expect(codes.size).toBe(4);
  });

  it('lets a repeated code live as long as the last message that carried it', async () => {
    const subject = tokenSubject();
    const { code } = await tokens.mint({ ...subject, withLink: true });
    clock.advance(11 * hours);
    await tokens.mint({ ...subject, withLink: true });
    clock.advance(23 * hours);
    expect(await tokens.findByCode(code, subject)).not.toBeNull();
    clock.advance(2 * hours);
    expect(await tokens.findByCode(code, subject)).toBeNull();
  });

  it('brings one code in messages that are made at the same moment, by one instance or by several', async () => {
    const subject = tokenSubject();
    const other = new TokenService(database.transaction, hash, clock, database.config);
    const minted = await Promise.all(
      Array.from({ length: 20 }, (_, n) => (n % 2 ? tokens : other).mint({ ...subject, withLink: true })),
    );
    expect(new Set(minted.map(({ code }) => code)).size).toBe(1);
    expect(new Set(minted.map(({ link }) => link)).size).toBe(20);
    const own = await rows();
    expect(own).toHaveLength(20);
    expect(own.filter(({ codeHash }) => codeHash !== null)).toHaveLength(1);
    expect(await useCode(minted[0]?.code ?? '', subject)).toBe(true);
    expect(await rows()).toEqual([]);
  });

  it('repeats no code that is used at the same moment', async () => {
    for (let n = 0; n < 20; n++) {
      const subject = tokenSubject();
      const { code } = await tokens.mint({ ...subject, withLink: true });
      const [used, meanwhile] = await Promise.all([
        useCode(code, subject),
        tokens.mint({ ...subject, withLink: true }),
      ]);
      expect(used).toBe(true);
      const left = (await rows()).filter(({ userId }) => userId === subject.userId);
      // Made before the use, and ended by it, or made after it, with a code of its own.
      expect(left).toHaveLength(meanwhile.code === code ? 0 : 1);
    }
  });

  it('makes a new code once the old one was used', async () => {
    const subject = tokenSubject();
    const { code } = await tokens.mint({ ...subject, withLink: true });
    expect(await useCode(code, subject)).toBe(true);
    expect((await tokens.mint({ ...subject, withLink: true })).code).not.toBe(code);
    expect(await tokens.findByCode(code, subject)).toBeNull();
  });

  it('has at most four codes alive for a person, however often somebody asks', async () => {
    const subject = tokenSubject();
    let most = 0;
    for (let i = 0; i < 200; i += 1) {
      await tokens.mint({ ...subject, withLink: true });
      clock.advance(hours / 4);
      const alive = (await rows()).filter(({ expiresAt }) => expiresAt.getTime() > clock.now());
      most = Math.max(most, new Set(alive.map(({ codeSeed }) => codeSeed)).size);
    }
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(4);
  });

  it('has used nothing when the transaction is rolled back', async () => {
    const subject = tokenSubject();
    const { code } = await tokens.mint({ ...subject, withLink: true });
    const token = await tokens.findByCode(code, subject);
    const failing = database.transaction.run(async () => {
      expect(token && (await tokens.consume(token))).toBe(true);
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    expect(await useCode(code, subject)).toBe(true);
  });

  it('lets exactly one of 50 simultaneous uses of a link win', async () => {
    const { link } = await tokens.mint({ ...tokenSubject(), withLink: true });
    const token = await tokens.findByLink(link ?? '', 'signup');
    const uses = Array.from({ length: 50 }, () =>
      database.transaction.run(async () => token !== null && (await tokens.consume(token))),
    );
    expect((await Promise.all(uses)).filter(Boolean)).toHaveLength(1);
    expect(await rows()).toEqual([]);
  });

  it('lets exactly one of 50 win also when they use ten different secrets, links and codes', async () => {
    const subject = tokenSubject();
    const minted = [];
    for (let i = 0; i < 10; i += 1) minted.push(await tokens.mint({ ...subject, withLink: true }));
    const found = await Promise.all(
      minted.flatMap(({ link, code }) => [
        tokens.findByLink(link ?? '', 'signup'),
        tokens.findByCode(code, subject),
      ]),
    );
    const shown = [...found, ...found, ...found.slice(0, 10)];
    expect(shown).toHaveLength(50);
    const uses = shown.map((token) =>
      database.transaction.run(async () => token !== null && (await tokens.consume(token))),
    );
    expect((await Promise.all(uses)).filter(Boolean)).toHaveLength(1);
    expect(await rows()).toEqual([]);
  });

  describe('after a change of the hashing key', () => {
    const [old, next] = [randomBytes(32), randomBytes(32)];
    const servedBy = (...keys: [Buffer, ...Buffer[]]) =>
      new TokenService(database.transaction, new KeyedHash(...keys), clock, database.config);
    const before = () => servedBy(old);
    const announcing = () => servedBy(old, next);
    const rotated = () => servedBy(next, old);
    const dropped = () => servedBy(next);
    const minting = (subject: TokenSubject) => ({ ...subject, withLink: true });

    it('finds and uses the links and codes that were made under the previous key', async () => {
      for (const secret of ['link', 'code'] as const) {
        const subject = tokenSubject();
        const minted = await before().mint(minting(subject));
        const found =
          secret === 'link'
            ? await rotated().findByLink(minted.link ?? '', 'signup')
            : await rotated().findByCode(minted.code, subject);
        expect(found).toMatchObject(subject);
        expect(await database.transaction.run(async () => found && rotated().consume(found))).toBe(true);
        expect(await rotated().findByCode(minted.code, subject)).toBeNull();
      }
    });

    it('repeats the code of a message that was made under the previous key, and stores it under the current', async () => {
      const subject = tokenSubject();
      const { code } = await before().mint(minting(subject));
      for (let i = 0; i < 3; i += 1) {
        clock.advance(hours);
        expect((await rotated().mint(minting(subject))).code).toBe(code);
      }
      expect(await dropped().findByCode(code, subject)).toMatchObject(subject);
    });

    it('repeats one code on instances that have changed already and on those that have not', async () => {
      const subject = tokenSubject();
      const codes = new Set<string>();
      for (const tokens of [rotated(), announcing(), rotated(), announcing()]) {
        codes.add((await tokens.mint(minting(subject))).code);
      }
      expect(codes.size).toBe(1);
      for (const tokens of [rotated(), announcing()]) {
        expect(await tokens.findByCode([...codes][0] ?? '', subject)).not.toBeNull();
      }
    });

    it('knows no link or code of a key that was dropped, and makes a new code instead of repeating it', async () => {
      const subject = tokenSubject();
      const { link, code } = await before().mint(minting(subject));
      expect(await dropped().findByLink(link ?? '', 'signup')).toBeNull();
      expect(await dropped().findByCode(code, subject)).toBeNull();
      const fresh = await dropped().mint(minting(subject));
      expect(fresh.code).not.toBe(code);
      expect(await dropped().findByCode(fresh.code, subject)).not.toBeNull();
      expect(await dropped().findByLink(fresh.link ?? '', 'signup')).not.toBeNull();
    });

    it('binds a secret to its user, purpose and recipient under either key', async () => {
      for (const tokens of [before(), rotated()]) {
        const subject = tokenSubject();
        const { link, code } = await tokens.mint(minting(subject));
        expect(await rotated().findByLink(link ?? '', 'recovery')).toBeNull();
        expect(await rotated().findByCode(code, { ...subject, purpose: 'recovery' })).toBeNull();
        expect(await rotated().findByCode(code, { ...subject, recipient: 'other@example.com' })).toBeNull();
        expect(await rotated().findByCode(code, { ...subject, userId: randomUUID() })).toBeNull();
      }
    });

    it('runs one and the same statement for what it finds under either key and for what it does not', async () => {
      const subject = tokenSubject();
      const earlier = await before().mint(minting(subject));
      const later = await rotated().mint(minting(subject));
      const seen: string[][] = [];
      for (const link of [earlier.link, later.link, 'x'.repeat(43)]) {
        seen.push(await statementsOf(() => rotated().findByLink(link ?? '', 'signup')));
      }
      for (const other of seen) expect(other).toEqual(seen[0]);
      expect(seen[0]).toHaveLength(1);
      const codes: string[][] = [];
      for (const [code, whose] of [
        [earlier.code, subject],
        ['000000', subject],
        ['000000', tokenSubject()],
      ] as const) {
        codes.push(await statementsOf(() => rotated().findByCode(code, whose)));
      }
      for (const other of codes) expect(other).toEqual(codes[0]);
      expect(codes[0]).toHaveLength(1);
    });

    /** The text of every statement that `work` runs. */
    async function statementsOf(work: () => Promise<unknown>): Promise<string[]> {
      const runner = database.dataSource.createQueryRunner();
      const query = jest.spyOn(Object.getPrototypeOf(runner) as typeof runner, 'query');
      try {
        await work();
        return query.mock.calls.map(([sql]) => sql);
      } finally {
        query.mockRestore();
        await runner.release();
      }
    }
  });
});
