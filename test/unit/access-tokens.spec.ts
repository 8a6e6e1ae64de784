import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, decodeJwt, decodeProtectedHeader, SignJWT } from 'jose';
import { AccessTokens } from '../../src/auth/tokens/access-tokens.js';
import type { User } from '../../src/auth/messages/user.js';
import { readConfig } from '../../src/config/config.js';
import { TestClock } from '../support/test-clock.js';

const keyPair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const config = readConfig({
  NODE_ENV: 'test',
  ALLOW_PUBLIC_DEVELOPMENT: 'true',
  PUBLIC_URL: 'https://auth.example.com',
});
const secretsWith = (signingKey = keyPair().privateKey, previousSigningKeys: KeyObject[] = []) => ({
  hashingKey: Buffer.alloc(32),
  previousHashingKeys: [],
  signingKey,
  previousSigningKeys,
});

const user: User = {
  id: '3f0c1f0e-8a57-4f0a-9d27-0b8f6f3f5a11',
  email: 'user@example.com',
  phone: '+1234567890',
  emailConfirmedAt: new Date(0),
  phoneConfirmedAt: null,
  pendingEmail: null,
  pendingPhone: null,
  bannedUntil: null,
  metadata: {},
  createdAt: new Date(0),
};

describe('AccessTokens', () => {
  const secrets = secretsWith();
  let clock: TestClock;
  let tokens: AccessTokens;

  beforeEach(() => {
    clock = new TestClock();
    tokens = new AccessTokens(secrets, config, clock);
  });

  it('issues what it accepts, for its lifetime and not a second longer', async () => {
    const { access_token, expires_in, expires_at, token_type } = await tokens.issue(user);
    const issuedAt = Math.floor(clock.now() / 1_000);
    expect({ expires_in, expires_at, token_type }).toEqual({
      expires_in: 3_600,
      expires_at: issuedAt + 3_600,
      token_type: 'bearer',
    });
    expect(await tokens.userIdOf(access_token)).toBe(user.id);
    clock.advance(3_599_000);
    expect(await tokens.userIdOf(access_token)).toBe(user.id);
    clock.advance(1_000);
    expect(await tokens.userIdOf(access_token)).toBeNull();
  });

  it('claims only what is proved', async () => {
    const { access_token, expires_at } = await tokens.issue(user);
    expect(decodeJwt(access_token)).toEqual({
      iss: 'https://auth.example.com',
      sub: user.id,
      aud: 'authenticated',
      role: 'authenticated',
      email: 'user@example.com',
      iat: expires_at - 3_600,
      exp: expires_at,
    });
  });

  it('publishes the public half under its thumbprint, and names it in every token', async () => {
    const { keys } = await tokens.keySet();
    expect(keys).toEqual([
      {
        kty: 'EC',
        crv: 'P-256',
        x: expect.any(String) as string,
        y: expect.any(String) as string,
        use: 'sig',
        alg: 'ES256',
        kid: await calculateJwkThumbprint(secrets.signingKey.export({ format: 'jwk' }) as { kty: 'EC' }),
      },
    ]);
    const { access_token } = await tokens.issue(user);
    expect(decodeProtectedHeader(access_token)).toEqual({ alg: 'ES256', typ: 'JWT', kid: keys[0]?.kid });
  });

  it.each<[string, (jwt: SignJWT) => SignJWT]>([
    ['another issuer', (jwt) => jwt.setIssuer('https://elsewhere.example.com')],
    ['another audience', (jwt) => jwt.setAudience('service')],
    ['no user', (jwt) => jwt.setSubject('everybody')],
  ])('refuses a token of our key with %s', async (_name, change) => {
    const jwt = new SignJWT({})
      .setProtectedHeader({ alg: 'ES256' })
      .setIssuer(config.publicUrl)
      .setAudience('authenticated')
      .setSubject(user.id)
      .setExpirationTime(Math.floor(clock.now() / 1_000) + 60);
    expect(await tokens.userIdOf(await jwt.sign(secrets.signingKey))).toBe(user.id);
    expect(await tokens.userIdOf(await change(jwt).sign(secrets.signingKey))).toBeNull();
  });

  it('refuses tokens that never expire, of another key, and of another algorithm', async () => {
    const claims = () =>
      new SignJWT({}).setIssuer(config.publicUrl).setAudience('authenticated').setSubject(user.id);
    const later = Math.floor(clock.now() / 1_000) + 60;
    const forever = await claims().setProtectedHeader({ alg: 'ES256' }).sign(secrets.signingKey);
    const foreign = await new AccessTokens(secretsWith(), config, clock).issue(user);
    const publicPem = (await tokens.keySet()).keys[0]?.x ?? '';
    const symmetric = await claims()
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime(later)
      .sign(Buffer.from(publicPem.padEnd(32)));
    for (const jwt of [forever, foreign.access_token, symmetric, '', 'a.b.c']) {
      expect(await tokens.userIdOf(jwt)).toBeNull();
    }
  });

  describe('after a change of keys', () => {
    const next = keyPair();
    const publicHalf = createPublicKey(secrets.signingKey);
    const rotated = () => new AccessTokens(secretsWith(next.privateKey, [publicHalf]), config, clock);

    it('accepts what the previous key has signed, and signs with the current one', async () => {
      const before = await tokens.issue(user);
      const after = await rotated().issue(user);
      for (const { access_token } of [before, after]) {
        expect(await rotated().userIdOf(access_token)).toBe(user.id);
      }
      const [current, previous] = (await rotated().keySet()).keys.map(({ kid }) => kid);
      expect(decodeProtectedHeader(after.access_token).kid).toBe(current);
      expect(decodeProtectedHeader(before.access_token).kid).toBe(previous);
      expect(current).not.toBe(previous);
    });

    it('publishes the key that comes next before anything is signed with it', async () => {
      const announcing = new AccessTokens(secretsWith(secrets.signingKey, [next.publicKey]), config, clock);
      const kids = async (of: AccessTokens) => (await of.keySet()).keys.map(({ kid }) => kid);
      expect(await kids(announcing)).toEqual((await kids(rotated())).reverse());
      expect(await announcing.userIdOf((await rotated().issue(user)).access_token)).toBe(user.id);
    });

    it('refuses the previous key once it is dropped, and a signature under the other key id', async () => {
      const before = await tokens.issue(user);
      const dropped = new AccessTokens(secretsWith(next.privateKey), config, clock);
      expect(await dropped.userIdOf(before.access_token)).toBeNull();
      const kid = (await tokens.keySet()).keys[0]?.kid ?? '';
      const crossed = new SignJWT(decodeJwt(before.access_token)).setProtectedHeader({ alg: 'ES256', kid });
      expect(await rotated().userIdOf(await crossed.sign(secrets.signingKey))).toBe(user.id);
      expect(await rotated().userIdOf(await crossed.sign(next.privateKey))).toBeNull();
    });

    it('publishes nothing private', async () => {
      for (const key of (await rotated().keySet()).keys) {
        expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
      }
    });
  });
});
