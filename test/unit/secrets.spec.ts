import { execFile } from 'node:child_process';
import { createPublicKey, generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { ConfigurationError, readConfig } from '../../src/config/config.js';
import { webhookConfig } from '../../src/auth/vendors/webhook/webhook.config.js';
import { loadSecrets } from '../../src/config/secrets.js';
import { compileSource } from '../support/compile-source.mjs';

const hashingKey = 'u9t2mEAc0jmqoYkQ7yTo9FQkqvJYzvZJwpfWHfWcD1s=';
const pem = (curve: string) =>
  generateKeyPairSync('ec', { namedCurve: curve })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString();
const signingKey = pem('P-256');

const production = {
  NODE_ENV: 'production',
  PUBLIC_URL: 'https://auth.acme.test',
  SITE_URL: 'https://acme.test',
  SMTP_URL: 'smtp://smtp.acme.test',
  MAIL_FROM: 'no-reply@acme.test',
  TRUST_PROXY: '0',
  HASHING_KEY: hashingKey,
  SIGNING_KEY: signingKey,
};

function complaint(env: NodeJS.ProcessEnv): string {
  try {
    loadSecrets(readConfig(env, [webhookConfig]));
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as ConfigurationError).message;
  }
  throw new Error('it was accepted');
}

describe('secrets from the environment', () => {
  it('are used as they are, and nothing is written', () => {
    const secrets = loadSecrets(readConfig({ ...production, DATA_DIR: '/nowhere' }));
    expect(secrets.hashingKey).toEqual(Buffer.from(hashingKey, 'base64'));
    const signature = sign('sha256', Buffer.from('x'), secrets.signingKey);
    expect(verify('sha256', Buffer.from('x'), createPublicKey(signingKey), signature)).toBe(true);
    expect(existsSync('/nowhere')).toBe(false);
  });

  it('may have the line breaks of a PEM written out', () => {
    const oneLine = signingKey.replaceAll('\n', '\\n');
    const secrets = loadSecrets(readConfig({ ...production, SIGNING_KEY: oneLine }));
    expect(secrets.signingKey.export({ type: 'pkcs8', format: 'pem' })).toBe(signingKey);
  });

  it('may be base64 for URLs, or without padding', () => {
    const bytes = randomBytes(48);
    const secrets = loadSecrets(readConfig({ ...production, HASHING_KEY: bytes.toString('base64url') }));
    expect(secrets.hashingKey).toEqual(bytes);
  });

  it.each([
    ['HASHING_KEY', 'changeme'],
    ['HASHING_KEY', 'change-me-change-me-change-me-change-me-change-me'],
    ['HASHING_KEY', 'replace_me'],
    ['HASHING_KEY', 'my-secret-my-secret-my-secret-my-secret-my-secret'],
    ['HASHING_KEY', 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'],
  ])('are refused in production when they are a placeholder: %s=%s', (name, value) => {
    const said = complaint({ ...production, [name]: value });
    expect(said).toContain('- HASHING_KEY is a placeholder: make one with: openssl rand -base64 32');
    expect(said).not.toContain(value);
  });

  it.each([
    ['is too short', randomBytes(31).toString('base64')],
    ['is a passphrase', 'correct horse battery staple, and then a good deal more of the same'],
  ])('are refused when the hashing key %s', (_what, value) => {
    const said = complaint({ ...production, HASHING_KEY: value });
    expect(said).toContain('- HASHING_KEY must be at least 32 bytes in base64: make one with');
    expect(said).not.toContain(value);
  });

  it('are refused when the hashing key repeats itself', () => {
    const said = complaint({ ...production, HASHING_KEY: Buffer.alloc(32, 'abc').toString('base64') });
    expect(said).toContain('- HASHING_KEY repeats itself: make one with');
  });

  it.each([
    ['is no PEM', 'hunter2'],
    ['is on another curve', pem('P-384')],
    ['is public', createPublicKey(signingKey).export({ type: 'spki', format: 'pem' }).toString()],
    [
      'is of another kind',
      generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ],
  ])('are refused when the signing key %s', (_what, value) => {
    const said = complaint({ ...production, SIGNING_KEY: value });
    expect(said).toContain(
      '- SIGNING_KEY must be a P-256 private key in PEM: make one with: openssl genpkey',
    );
    expect(said).not.toContain(value);
  });

  it('are refused when the webhook has a placeholder in production', () => {
    const secret = 'your-secret-here-your-secret-here';
    const sms = { SMS_WEBHOOK_URL: 'https://sms.acme.test', SMS_WEBHOOK_SECRET: secret };
    const said = complaint({ ...production, ...sms });
    expect(said).toContain(
      '- SMS_WEBHOOK_SECRET is a placeholder: use the secret that your gateway gave you',
    );
    expect(said).not.toContain(secret);
  });

  const otherHashingKey = randomBytes(32).toString('base64');
  const otherSigningKey = pem('P-256');

  it('may name earlier keys beside the current ones', () => {
    const [first, second] = [otherHashingKey, randomBytes(40).toString('base64url')];
    const publicHalf = createPublicKey(pem('P-256'));
    const publicPem = publicHalf.export({ type: 'spki', format: 'pem' }).toString();
    const secrets = loadSecrets(
      readConfig({
        ...production,
        HASHING_KEY: `${hashingKey}, ${first}, ${second}`,
        SIGNING_KEY: `${signingKey}${otherSigningKey.replaceAll('\n', '\\n')}${publicPem}`,
      }),
    );
    expect(secrets.previousHashingKeys).toEqual([
      Buffer.from(first, 'base64'),
      Buffer.from(second, 'base64url'),
    ]);
    expect(secrets.previousSigningKeys).toHaveLength(2);
    expect(secrets.previousSigningKeys[0]?.equals(createPublicKey(otherSigningKey))).toBe(true);
    expect(secrets.previousSigningKeys[1]?.equals(publicHalf)).toBe(true);
  });

  it('keep no private half of an earlier signing key', () => {
    const env = { ...production, SIGNING_KEY: signingKey + otherSigningKey };
    expect(loadSecrets(readConfig(env)).previousSigningKeys.map(({ type }) => type)).toEqual(['public']);
  });

  it('may name an earlier signing key as OpenSSL writes it, with its curve before it', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const parameters = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';
    const sec1 = parameters + privateKey.export({ type: 'sec1', format: 'pem' }).toString();
    const { previousSigningKeys } = loadSecrets(
      readConfig({ ...production, SIGNING_KEY: signingKey + sec1 }),
    );
    expect(previousSigningKeys).toHaveLength(1);
    const alone = { ...production, SIGNING_KEY: parameters };
    expect(complaint(alone)).toContain('- SIGNING_KEY must be a P-256 private key in PEM');
  });

  it('name no earlier keys unless they are told to', () => {
    const { previousHashingKeys, previousSigningKeys } = loadSecrets(readConfig(production));
    expect({ previousHashingKeys, previousSigningKeys }).toEqual({
      previousHashingKeys: [],
      previousSigningKeys: [],
    });
  });

  it.each([
    ['a placeholder', 'changeme', 'is a placeholder: make one with'],
    ['too short', 'c2hvcnQ=', 'must be at least 32 bytes in base64: make one with'],
    ['repetitive', Buffer.alloc(32, 'abc').toString('base64'), 'repeats itself: make one with'],
  ])('are refused when an earlier hashing key is %s', (_what, value, remedy) => {
    for (const previous of [value, `${otherHashingKey},${value}`]) {
      const said = complaint({ ...production, HASHING_KEY: `${hashingKey},${previous}` });
      expect(said).toContain(`- HASHING_KEY ${remedy}`);
      expect(said).not.toContain(value);
    }
  });

  it.each([
    ['is no PEM', 'hunter2'],
    ['is on another curve', pem('P-384')],
    ['is cut off', otherSigningKey.slice(0, -10)],
    ['is followed by something else', `${otherSigningKey}hunter2`],
    ['is followed by one that is no key', otherSigningKey + otherSigningKey.replace(/\n.{20}/, '\n')],
  ])('are refused when an earlier signing key %s', (_what, value) => {
    const said = complaint({ ...production, SIGNING_KEY: signingKey + value });
    expect(said).toContain('- SIGNING_KEY must be P-256 keys in PEM, one after the other');
    expect(said).not.toContain(value);
  });

  it.each<[string, string, string]>([
    ['the hashing key is the current one', 'HASHING_KEY', `${hashingKey},${hashingKey}`],
    [
      'the hashing key is the current one written otherwise',
      'HASHING_KEY',
      `${hashingKey},${hashingKey.replace('=', '')}`,
    ],
    ['a hashing key is there twice', 'HASHING_KEY', `${hashingKey},${otherHashingKey},${otherHashingKey}`],
    ['the signing key is the current one', 'SIGNING_KEY', signingKey + signingKey],
    [
      'the signing key is the public half of the current one',
      'SIGNING_KEY',
      signingKey + createPublicKey(signingKey).export({ type: 'spki', format: 'pem' }).toString(),
    ],
    ['a signing key is there twice', 'SIGNING_KEY', signingKey + otherSigningKey + otherSigningKey],
  ])('are refused when of the earlier ones %s', (_what, name, value) => {
    expect(complaint({ ...production, [name]: value })).toContain(
      `- ${name} holds the same key twice: name only keys that differ`,
    );
  });

  it('are judged all at once', () => {
    const said = complaint({ ...production, HASHING_KEY: 'changeme', SIGNING_KEY: 'hunter2' });
    expect(said).toContain('- HASHING_KEY ');
    expect(said).toContain('- SIGNING_KEY ');
  });

  it('are not mistaken for placeholders by chance', () => {
    // Four letters x in a row stand in one random key of some 25,000.
    const key = `xXxX${hashingKey.slice(4)}`;
    expect(() => loadSecrets(readConfig({ ...production, HASHING_KEY: key }))).not.toThrow();
  });
});

describe('secrets that are made in development', () => {
  let folder: string;
  const env = () => ({ DATA_DIR: join(folder, 'data') });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), `strike_auth_test-${Date.now()}-secrets-`));
  });

  afterEach(() => {
    chmodSync(folder, 0o700);
    rmSync(folder, { recursive: true, force: true });
  });

  it('are made once and found again', () => {
    const first = loadSecrets(readConfig(env()));
    const second = loadSecrets(readConfig(env()));
    expect(first.hashingKey).toHaveLength(32);
    expect(second.hashingKey).toEqual(first.hashingKey);
    expect(second.signingKey.equals(first.signingKey)).toBe(true);
  });

  it('are of each folder its own', () => {
    const here = loadSecrets(readConfig(env()));
    const there = loadSecrets(readConfig({ DATA_DIR: join(folder, 'other') }));
    expect(there.hashingKey).not.toEqual(here.hashingKey);
  });

  it('can be read by their owner only, and nothing else is left behind', () => {
    loadSecrets(readConfig(env()));
    expect(readdirSync(env().DATA_DIR).sort()).toEqual(['hashing-key', 'signing-key.pem']);
    expect(statSync(env().DATA_DIR).mode & 0o777).toBe(0o700);
    for (const name of ['hashing-key', 'signing-key.pem']) {
      expect(statSync(join(env().DATA_DIR, name)).mode & 0o777).toBe(0o600);
    }
  });

  it.each(['hashing-key', 'signing-key.pem'])(
    'are not replaced behind your back when %s is damaged',
    (name) => {
      loadSecrets(readConfig(env()));
      writeFileSync(join(env().DATA_DIR, name), '');
      expect(complaint(env())).toContain(
        `- DATA_DIR holds a damaged ${name}: remove the file, and a new one is made`,
      );
      expect(readFileSync(join(env().DATA_DIR, name), 'utf8')).toBe('');
    },
  );

  it('are told of when the folder cannot be made', () => {
    writeFileSync(join(folder, 'file'), '');
    const said = complaint({ DATA_DIR: join(folder, 'file', 'data') });
    expect(said).toContain('- DATA_DIR must be a folder that this process can write to (ENOTDIR)');
  });

  it('are the same for processes that start at the same moment', async () => {
    const source = await compileSource();
    const rounds = 25;
    // In each round all processes set out for a new folder in the same millisecond.
    const script = `
      import { createHash } from 'node:crypto';
      const [source, folder, start] = process.argv.slice(1);
      const { loadSecrets } = await import(source);
      for (let round = 0; round < ${rounds}; round += 1) {
        while (Date.now() < Number(start) + round * 20);
        const { hashingKey, signingKey } = loadSecrets({ dataDir: folder + round });
        const pem = signingKey.export({ type: 'pkcs8', format: 'pem' });
        console.log(createHash('sha256').update(hashingKey).update(pem).digest('hex'));
      }`;
    const start = String(Date.now() + 2_000);
    const args = [pathToFileURL(join(source.folder, 'config/secrets.js')).href, join(folder, 'data'), start];
    try {
      const processes = await Promise.all(
        ['first', 'second', 'third'].map(() =>
          promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, ...args]),
        ),
      );
      const [first = '', ...others] = processes.map(({ stdout }) => stdout);
      expect(new Set(first.trim().split('\n')).size).toBe(rounds);
      for (const other of others) expect(other).toBe(first);
    } finally {
      await source.remove();
    }
  });
});
