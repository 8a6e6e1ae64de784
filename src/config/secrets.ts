import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, ConfigurationError } from './config.js';
import {
  decodeHashingKey,
  decodePreviousSigningKeys,
  decodeSigningKey,
  hashingKeyProblem,
  previousSigningKeysProblem,
  signingKeyProblem,
  webhookSecretProblem,
} from './key-formats.js';

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
 * @throws ConfigurationError when one is malformed, too short, a placeholder, or there twice
 */
export function loadSecrets(config: Config): Secrets {
  const texts = {
    hashingKey: config.hashingKey ?? kept(config, 'hashing-key', newHashingKey, hashingKeyProblem),
    signingKey: config.signingKey ?? kept(config, 'signing-key.pem', newSigningKey, signingKeyProblem),
  };
  refuse(malformed(config, texts));
  const secrets = {
    hashingKey: decodeHashingKey(texts.hashingKey),
    previousHashingKeys: config.previousHashingKeys.map(decodeHashingKey),
    signingKey: decodeSigningKey(texts.signingKey),
    previousSigningKeys: decodePreviousSigningKeys(config.previousSigningKeys ?? ''),
  };
  refuse(repeated(secrets));
  return secrets;
}

function refuse(problems: string[]): void {
  if (problems.length > 0) throw new ConfigurationError(problems);
}

function malformed(config: Config, current: { hashingKey: string; signingKey: string }): string[] {
  const previousHashing = config.previousHashingKeys
    .map(hashingKeyProblem)
    .find((problem) => problem !== null);
  const previousSigning = config.previousSigningKeys;
  const webhookSecret = config.production ? config.sms.webhook?.secret : undefined;
  return [
    about('HASHING_KEY', hashingKeyProblem(current.hashingKey)),
    about('HASHING_KEY_PREVIOUS', previousHashing ?? null),
    about('SIGNING_KEY', signingKeyProblem(current.signingKey)),
    about(
      'SIGNING_KEY_PREVIOUS',
      previousSigning === undefined ? null : previousSigningKeysProblem(previousSigning),
    ),
    about('SMS_WEBHOOK_SECRET', webhookSecret === undefined ? null : webhookSecretProblem(webhookSecret)),
  ].flat();
}

function repeated({ hashingKey, previousHashingKeys, signingKey, previousSigningKeys }: Secrets): string[] {
  const hashingKeys = [hashingKey, ...previousHashingKeys];
  const signingKeys = [signingKey, ...previousSigningKeys].map(publicBytes);
  return [
    about('HASHING_KEY_PREVIOUS', isRepeated(hashingKeys) ? repeatedKeyProblem('HASHING_KEY') : null),
    about('SIGNING_KEY_PREVIOUS', isRepeated(signingKeys) ? repeatedKeyProblem('SIGNING_KEY') : null),
  ].flat();
}

function about(name: string, problem: string | null): string[] {
  return problem === null ? [] : [`${name} ${problem}`];
}

/** Then nothing has been changed, and it would show only when the key that is thought to be the earlier one is dropped. */
function repeatedKeyProblem(current: string): string {
  return `holds the same key twice, or the one in ${current}: name only keys that differ from it and from each other`;
}

function isRepeated(keys: readonly Buffer[]): boolean {
  return new Set(keys.map((key) => key.toString('hex'))).size < keys.length;
}

function publicBytes(key: KeyObject): Buffer {
  const publicHalf = key.type === 'public' ? key : createPublicKey(key);
  return publicHalf.export({ type: 'spki', format: 'der' });
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
  config: Config,
  name: string,
  make: () => string,
  problemWith: (text: string) => string | null,
): string {
  const file = join(config.dataDir, name);
  let text: string;
  try {
    text = readOrCreate(config.dataDir, file, make);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new ConfigurationError([`DATA_DIR must be a folder that this process can write to (${code})`]);
  }
  if (problemWith(text) === null) return text;
  throw new ConfigurationError([`DATA_DIR holds a damaged ${name}: remove the file, and a new one is made`]);
}

function readOrCreate(folder: string, file: string, make: () => string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  // Written in full under a name of its own and then linked: nobody ever reads half a secret, and of several
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
