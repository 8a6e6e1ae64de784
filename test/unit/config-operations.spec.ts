import { randomBytes } from 'node:crypto';
import { ConfigurationError, readConfig } from '../../src/config/config.js';

const key = randomBytes(32).toString('hex');
const other = randomBytes(32).toString('base64url');

function complaint(env: NodeJS.ProcessEnv): string {
  try {
    readConfig(env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as ConfigurationError).message;
  }
  throw new Error('it was accepted');
}

describe('the configuration for operators', () => {
  it('has no service key unless it is told one', () => {
    expect(readConfig({})).toMatchObject({ serviceKeys: [], retentionMs: 30 * 24 * 3_600_000 });
  });

  it('takes a service key and those that it replaces', () => {
    expect(readConfig({ SERVICE_KEY: key }).serviceKeys).toEqual([key]);
    const both = readConfig({ SERVICE_KEY: `${key}, ${other} ` });
    expect(both.serviceKeys).toEqual([key, other]);
  });

  it.each([randomBytes(24).toString('base64'), 'A1b2C3d4'.repeat(4), 'f0e1d2c3-b4a5-4968-8778-9a6b5c4d3e2f'])(
    'takes a key of 32 characters or more that fits into a header: %s',
    (text) => {
      expect(readConfig({ SERVICE_KEY: text }).serviceKeys).toEqual([text]);
    },
  );

  it.each([
    ['31 characters', key.slice(0, 31), 'must be 32 to 512 letters'],
    ['a passphrase with spaces', 'correct horse battery staple and more', 'must be 32 to 512 letters'],
    ['letters that no header carries', 'ß'.repeat(40), 'must be 32 to 512 letters'],
    ['a placeholder', 'change-me-change-me-change-me-change-me', 'is a placeholder'],
    ['one character', '7'.repeat(64), 'repeats itself'],
  ])('refuses %s, and says how to make a better one and not what it was', (_what, text, problem) => {
    for (const production of [{}, { NODE_ENV: 'production' }]) {
      const said = complaint({ ...production, SERVICE_KEY: text });
      expect(said).toMatch(new RegExp(`- SERVICE_KEY ${problem}.*openssl rand -hex 32`));
      expect(said).not.toContain(text);
    }
    const previous = complaint({ SERVICE_KEY: `${key},${other},${text}` });
    expect(previous).toContain(`- SERVICE_KEY ${problem}`);
    expect(previous).not.toContain(text);
  });

  it('refuses a key that is there twice', () => {
    for (const previous of [key, `${other},${other}`]) {
      expect(complaint({ SERVICE_KEY: `${key},${previous}` })).toContain('the same key twice');
    }
  });

  it('keeps messages for a day at least', () => {
    expect(readConfig({ RETENTION: '24h' }).retentionMs).toBe(24 * 3_600_000);
    expect(complaint({ RETENTION: '23h' })).toContain('RETENTION must be at least 24h');
  });
});
