import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, ConfigurationError } from './config.js';
import { decodeHashingKey, hashingKeys, publicKeyOf, signingKeys } from './keys.config.js';
import type { Reader } from './section.js';

/** A class, so that it can be injected by its type. */
export abstract class Secrets {
  /** At least 32 bytes. */
  abstract readonly hashingKey: Buffer;
  /** Under which hashes that are still in use may have been made, too; none equals the current one. */
  abstract readonly previousHashingKeys: readonly Buffer[];
  /** Private key on the curve P-256, for ES256 (RFC 7518, section 3.4). */
  abstract readonly signingKey: KeyObject;
  /** Public halves of the other keys whose signatures are good; none belongs to the current one. */
  abstract readonly previousSigningKeys: readonly KeyObject[];
}

/**
 * The secrets from the configuration; in development those that are missing are made once and kept in `DATA_DIR`,
 * readable by their owner only.
 * @throws ConfigurationError when `DATA_DIR` cannot be used
 */
export function loadSecrets(config: Pick<Config, 'dataDir' | 'hashingKeys' | 'signingKeys'>): Secrets {
  const { dataDir } = config;
  const hashing = config.hashingKeys ?? kept(dataDir, 'hashing-key', newHashingKey, hashingKeys);
  const signing = config.signingKeys ?? kept(dataDir, 'signing-key.pem', newSigningKey, signingKeys);
  const [hashingKey = Buffer.alloc(0), ...previousHashingKeys] = hashing.map(decodeHashingKey);
  const [signingKey = '', ...previousSigningKeys] = signing;
  return {
    hashingKey,
    previousHashingKeys,
    signingKey: createPrivateKey(signingKey),
    previousSigningKeys: previousSigningKeys.map(publicKeyOf),
  };
}

function newHashingKey(): string {
  return randomBytes(32).toString('base64');
}

function newSigningKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** What stands in the file; when there is none, a new secret, which all who start at the same time agree on. */
function kept(
  dataDir: string,
  name: string,
  make: () => string,
  read: Reader<readonly string[]>,
): readonly string[] {
  let text: string;
  try {
    text = readOrCreate(dataDir, join(dataDir, name), make);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new ConfigurationError([`DATA_DIR must be a folder that this process can write to (${code})`]);
  }
  try {
    return read(text);
  } catch {
    throw new ConfigurationError([
      `DATA_DIR holds a damaged ${name}: remove the file, and a new one is made`,
    ]);
  }
}

function readOrCreate(folder: string, file: string, make: () => string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  // Written in full under a name of its own and then linked: no reader ever sees half a secret, and of several
  // processes exactly one gives the file its name.
  const draft = `${file}.${randomUUID()}`;
  try {
    writeFileSync(draft, make(), { flag: 'wx', mode: 0o600, flush: true });
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  return readFileSync(file, 'utf8');
}
