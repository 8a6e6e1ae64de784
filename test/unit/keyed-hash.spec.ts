import { createHash, randomBytes } from 'node:crypto';
import { KeyedHash } from '../../src/platform/keyed-hash.js';

describe('a keyed hash', () => {
  const key = Buffer.alloc(32, 7);
  const hash = new KeyedHash(key);

  it('is SHA3-256 over the key and the length-prefixed domain and parts', () => {
    const message = `${key.toString('hex')}3:otp1:ü`;
    expect(hash.digest('otp', 'ü')).toEqual(createHash('sha3-256').update(message, 'utf8').digest());
  });

  it('is the same for the same parts', () => {
    expect(hash.digest('limit', 'a@b.co')).toEqual(hash.digest('limit', 'a@b.co'));
  });

  it.each<[string, Buffer]>([
    ['the domain', hash.digest('other', 'ab', 'c')],
    ['a part', hash.digest('limit', 'ab', 'd')],
    ['where one part ends and the next begins', hash.digest('limit', 'a', 'bc')],
    ['the number of parts', hash.digest('limit', 'abc')],
    ['an empty part', hash.digest('limit', 'ab', 'c', '')],
    ['where the domain ends', hash.digest('limita', 'b', 'c')],
    ['the key', new KeyedHash(randomBytes(32)).digest('limit', 'ab', 'c')],
  ])('depends on %s', (_what, other) => {
    expect(hash.digest('limit', 'ab', 'c')).not.toEqual(other);
  });

  it('is made with the current key, and can be told under every key that is known, the current one first', () => {
    const [next, earlier] = [randomBytes(32), randomBytes(32)];
    const rotated = new KeyedHash(next, key, earlier);
    const each = [next, key, earlier].map((it) => new KeyedHash(it));
    expect(rotated.digest('limit', 'a')).toEqual(each[0]?.digest('limit', 'a'));
    expect(rotated.digests('limit', 'a')).toEqual(each.map((it) => it.digest('limit', 'a')));
    expect(rotated.pseudonym('limit', 'a')).toBe(each[0]?.pseudonym('limit', 'a'));
  });

  it('as a pseudonym is its first 132 bits as base64url', () => {
    const whole = hash.digest('limit', 'ab', 'c').toString('base64url');
    expect(hash.pseudonym('limit', 'ab', 'c')).toBe(whole.slice(0, 22));
  });
});
