import { createHmac, randomBytes } from 'node:crypto';
import { KeyedHash } from '../../src/keyed-hash.js';

describe('a keyed hash', () => {
  const key = Buffer.alloc(32, 7);
  const hash = new KeyedHash(key);

  it('is HMAC-SHA-256 over the length-prefixed domain and parts', () => {
    expect(hash.digest('otp', 'ü')).toEqual(createHmac('sha256', key).update('3:otp1:ü', 'utf8').digest());
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
    expect(rotated.digest('limit', 'a')).toEqual(new KeyedHash(next).digest('limit', 'a'));
    expect(rotated.digests('limit', 'a')).toEqual(
      [next, key, earlier].map((it) => new KeyedHash(it).digest('limit', 'a')),
    );
    expect(hash.digests('limit', 'a')).toEqual([hash.digest('limit', 'a')]);
  });
});
