import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vendorSections } from '../../src/auth/vendors/vendors.js';
import { ConfigurationError, coreSections, readConfig } from '../../src/config/config.js';
import type { Variable } from '../../src/config/section.js';
import { productionKeys } from '../support/production-keys.js';

const folder = mkdtempSync(join(tmpdir(), 'strike-auth-secrets-'));
afterAll(() => rmSync(folder, { recursive: true }));

function fileWith(text: string): string {
  const path = join(folder, `${Math.random()}`);
  writeFileSync(path, text);
  return path;
}

/** What the person who starts the service is told; empty when it starts. */
function complaint(env: NodeJS.ProcessEnv): string {
  try {
    readConfig(env, vendorSections);
    return '';
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as ConfigurationError).message;
  }
}

const variables = [...coreSections, ...vendorSections].flatMap((section) =>
  Object.values<Variable>(section.variables),
);
const secrets = variables.filter(({ secret }) => secret).map(({ name }) => name);

describe('A secret in a file', () => {
  it.each(['', '\n', '\r\n', '\n\n'])(
    'is what stands there without the line breaks at its end: %j',
    (end) => {
      const { HASHING_KEY, SIGNING_KEY } = productionKeys;
      const config = readConfig({
        HASHING_KEY_FILE: fileWith(HASHING_KEY + end),
        SIGNING_KEY_FILE: fileWith(SIGNING_KEY.trimEnd() + end),
        DATABASE_URL_FILE: fileWith(`postgres://me:hunter2@localhost/auth${end}`),
        THROTTLE_STORE: 'memory',
      });
      expect(config).toEqual(
        readConfig({
          HASHING_KEY,
          SIGNING_KEY: SIGNING_KEY.trimEnd(),
          DATABASE_URL: 'postgres://me:hunter2@localhost/auth',
          THROTTLE_STORE: 'memory',
        }),
      );
    },
  );

  it('is there for each variable that is a secret, and for no other', () => {
    expect(secrets.length).toBeGreaterThan(10);
    const nowhere = Object.fromEntries(variables.map(({ name }) => [`${name}_FILE`, '/nowhere/at-all']));
    const named = [
      ...complaint(nowhere).matchAll(
        /^ {2}- (\w+) cannot be read from \1_FILE=\/nowhere\/at-all \(ENOENT\)/gm,
      ),
    ];
    expect(named.map(([, name]) => name)).toEqual(secrets);
  });

  it('is refused when it is set beside it, missing, empty, a folder or malformed, and never shown', () => {
    const file = fileWith('hunter2-7f');
    expect(complaint({ HASHING_KEY: productionKeys.HASHING_KEY, HASHING_KEY_FILE: file })).toContain(
      '- HASHING_KEY and HASHING_KEY_FILE are both set: keep one of them',
    );
    expect(complaint({ SMTP_URL_FILE: folder })).toContain(
      `- SMTP_URL cannot be read from SMTP_URL_FILE=${folder} (EISDIR)`,
    );
    const empty = fileWith('\n');
    expect(complaint({ SERVICE_KEY_FILE: empty })).toContain(
      `- SERVICE_KEY is empty in SERVICE_KEY_FILE=${empty}`,
    );
    const said = complaint(Object.fromEntries(secrets.map((name) => [`${name}_FILE`, file])));
    expect(said).toContain('- HASHING_KEY must be at least 32 bytes in base64');
    expect(said).not.toContain('hunter2');
  });

  it('is what production requires', () => {
    const said = complaint({
      NODE_ENV: 'production',
      HASHING_KEY_FILE: fileWith(productionKeys.HASHING_KEY),
    });
    expect(said).not.toContain('HASHING_KEY');
    expect(said).toContain('SIGNING_KEY is required in production');
  });

  it('counts as none when the variable that names it is empty', () => {
    expect(readConfig({ HASHING_KEY_FILE: '' })).toEqual(readConfig({}));
  });
});
