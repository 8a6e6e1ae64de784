import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, ConfigurationError } from './config.js';

/** A class, so that it can be injected by its type. */
export abstract class Secrets {
  /** At least 32 bytes. */
  abstract readonly hashingKey: Buffer;
  /** Private key on the curve P-256, for ES256 (RFC 7518, section 3.4). */
  abstract readonly signingKey: KeyObject;
}

/**
 * Text that stands in examples everywhere; whoever deploys it has forgotten to replace it. No word is so short that
 * a random key in base64 would ever contain it.
 */
const placeholder = /change.?me|replace.?me|your.?key|secret|password|example|placeholder|default|x{8}/i;

const hashingKeyRemedy = 'make one with: openssl rand -base64 32';
const signingKeyRemedy = 'make one with: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256';

/**
 * The secrets from the configuration; in development those that are missing are made once and kept in `DATA_DIR`,
 * readable by their owner only.
 * @throws ConfigurationError when one is malformed, too short or a placeholder
 */
export function loadSecrets(config: Config): Secrets {
  const hashingKey = config.hashingKey ?? kept(config, 'hashing-key', newHashingKey, hashingKeyProblem);
  const signingKey = config.signingKey ?? kept(config, 'signing-key.pem', newSigningKey, signingKeyProblem);
  const webhookSecret = config.production ? config.smsWebhook?.secret : undefined;
  const problems = [
    about('HASHING_KEY', hashingKeyProblem(hashingKey)),
    about('SIGNING_KEY', signingKeyProblem(signingKey)),
    about('SMS_WEBHOOK_SECRET', webhookSecret === undefined ? null : webhookSecretProblem(webhookSecret)),
  ].flat();
  if (problems.length > 0) throw new ConfigurationError(problems);
  return {
    hashingKey: Buffer.from(hashingKey, 'base64'),
    signingKey: createPrivateKey(unescapeNewlines(signingKey)),
  };
}

function about(name: string, problem: string | null): string[] {
  return problem === null ? [] : [`${name} ${problem}`];
}

function hashingKeyProblem(text: string): string | null {
  if (placeholder.test(text)) return `is a placeholder: ${hashingKeyRemedy}`;
  const bytes = Buffer.from(text, 'base64');
  // Node reads base64 leniently: of a passphrase it would take the letters and leave the rest.
  if (!/^[\w+/-]+={0,2}\s*$/.test(text) || bytes.length < 32) {
    return `must be at least 32 bytes in base64: ${hashingKeyRemedy}`;
  }
  return new Set(bytes).size < 8 ? `repeats itself: ${hashingKeyRemedy}` : null;
}

function signingKeyProblem(pem: string): string | null {
  try {
    const key = createPrivateKey(unescapeNewlines(pem));
    if (key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return null;
  } catch {
    // Said below: what OpenSSL says about it helps nobody.
  }
  return `must be a P-256 private key in PEM: ${signingKeyRemedy}`;
}

function webhookSecretProblem(text: string): string | null {
  return placeholder.test(text) ? 'is a placeholder: use the secret that your gateway gave you' : null;
}

/** Environment files hold a PEM on one line, with `\n` written out. */
function unescapeNewlines(pem: string): string {
  return pem.replaceAll('\\n', '\n');
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
