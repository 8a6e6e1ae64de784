import { scryptSync } from 'node:crypto';
import { PasswordHasher } from '../../src/auth/signup/password-hasher.js';
import { isPassword } from '../../src/auth/signup/sign-up.dto.js';

function matches(password: string, phc: string): boolean {
  const [, salt = '', hash = ''] = /^\$scrypt\$ln=15,r=8,p=3\$([^$]+)\$([^$]+)$/.exec(phc) ?? [];
  const options = { N: 2 ** 15, r: 8, p: 3, maxmem: 64 * 1024 * 1024 };
  return scryptSync(password, Buffer.from(salt, 'base64'), 32, options).equals(Buffer.from(hash, 'base64'));
}

describe('PasswordHasher', () => {
  const hasher = new PasswordHasher();

  it('makes a PHC string from which the password can be checked', async () => {
    const phc = await hasher.hash('correct horse');
    expect(matches('correct horse', phc)).toBe(true);
    expect(matches('correct Horse', phc)).toBe(false);
  });

  it('salts: the same password twice gives two hashes', async () => {
    expect(await hasher.hash('correct horse')).not.toBe(await hasher.hash('correct horse'));
  });

  it('takes two spellings of the same characters for one password', async () => {
    expect(matches('Käsekuchen fi', await hasher.hash('Ka\u0308sekuchen \ufb01'))).toBe(true);
  });

  it('does all of a crowd, and says that it is busy beyond that', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => hasher.hash('correct horse')));
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(outcomes.length - refused.length).toBe(18);
    for (const { reason } of refused) expect(reason).toMatchObject({ code: 'unavailable', status: 503 });
    await expect(hasher.hash('correct horse')).resolves.toContain('$scrypt$');
  });
});

describe('isPassword', () => {
  it.each<[unknown, boolean]>([
    ['12345678', true],
    ['        ', true],
    ['🦉'.repeat(8), true],
    ['🦉'.repeat(256), true],
    ['1234567', false],
    ['🦉'.repeat(257), false],
    ['x'.repeat(1_000_000), false],
    ['password\udc00', false],
    [12_345_678, false],
    [['12345678'], false],
  ])('case %#', (value, accepted) => {
    expect(isPassword(value)).toBe(accepted);
  });
});
