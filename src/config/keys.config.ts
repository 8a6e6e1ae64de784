import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { list } from './readers.js';
import { Section, variable } from './section.js';

/**
 * Text that stands in examples everywhere and was never replaced. No word is so short that a random key in base64 would
 * ever contain it.
 */
const placeholder = /change.?me|replace.?me|your.?key|secret|password|example|placeholder|default|x{8}/i;

export function isPlaceholder(text: string): boolean {
  return placeholder.test(text);
}

const hashingKeyRemedy = 'make one with: openssl rand -base64 32';
const headerKeyRemedy = 'make one with: openssl rand -hex 32';
const signingKeyRemedy = 'make one with: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256';

/** Keys in base64, the current one first. They stay text, which can be sent to another thread as it is. */
export function hashingKeys(given: string): readonly string[] {
  const keys = list(given);
  for (const key of keys.length > 0 ? keys : ['']) checkHashingKey(key);
  refuseRepeated(keys.map((key) => decodeHashingKey(key).toString('hex')));
  return keys;
}

function checkHashingKey(text: string): void {
  if (isPlaceholder(text)) throw new Error(`is a placeholder: ${hashingKeyRemedy}`);
  const bytes = decodeHashingKey(text);
  // Node reads base64 leniently: of a passphrase it would take the letters and leave the rest.
  if (!/^[\w+/-]+={0,2}\s*$/.test(text) || bytes.length < 32) {
    throw new Error(`must be at least 32 bytes in base64: ${hashingKeyRemedy}`);
  }
  if (new Set(bytes).size < 8) throw new Error(`repeats itself: ${hashingKeyRemedy}`);
}

export function decodeHashingKey(text: string): Buffer {
  return Buffer.from(text, 'base64');
}

/** PEMs, the current key first, which is private; of the others the public half is enough. */
export function signingKeys(given: string): readonly string[] {
  const [current = '', ...others] = pemBlocks(given);
  if (!isP256(() => createPrivateKey(current))) {
    throw new Error(`must be a P-256 private key in PEM: ${signingKeyRemedy}`);
  }
  const isPure = unescapeNewlines(given).replace(pemBlock, '').trim() === '';
  if (!isPure || !others.every((pem) => isP256(() => createPublicKey(pem)))) {
    throw new Error(
      'must be P-256 keys in PEM, one after the other: the first private, the others private or public',
    );
  }
  refuseRepeated(
    [current, ...others].map((pem) => publicKeyOf(pem).export({ type: 'spki', format: 'pem' }).toString()),
  );
  return [current, ...others];
}

/** The public half: with an earlier key nothing is signed any more. */
export function publicKeyOf(pem: string): KeyObject {
  return createPublicKey(pem);
}

/** Keys that travel in a header have the characters of a bearer token (RFC 6750, section 2.1). */
function keysForHeaders(given: string): readonly string[] {
  const keys = list(given);
  for (const key of keys) {
    if (isPlaceholder(key)) throw new Error(`is a placeholder: ${headerKeyRemedy}`);
    if (!/^[\w.~+/-]{32,512}=*$/.test(key)) {
      throw new Error(
        `must be 32 to 512 letters, digits or any of . ~ + / - _ (= at the end): ${headerKeyRemedy}`,
      );
    }
    if (new Set(key).size < 8) throw new Error(`repeats itself: ${headerKeyRemedy}`);
  }
  refuseRepeated(keys);
  return keys;
}

/** Otherwise the key that seems to be replaced is still there, which shows only when the earlier one is dropped. */
function refuseRepeated(keys: readonly string[]): void {
  if (new Set(keys).size < keys.length)
    throw new Error('holds the same key twice: name only keys that differ');
}

const pemBlock = /-----BEGIN ([A-Z ]+)-----[^-]+-----END \1-----/g;

function pemBlocks(pems: string): string[] {
  const blocks = unescapeNewlines(pems).match(pemBlock) ?? [];
  // `openssl ecparam -genkey` names the curve in a block of its own, before the key that names it again.
  return blocks.filter((block) => !block.startsWith('-----BEGIN EC PARAMETERS-----'));
}

function isP256(decode: () => KeyObject): boolean {
  try {
    const key = decode();
    return key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1';
  } catch {
    // The words of OpenSSL help no operator; the remedy does.
    return false;
  }
}

/** Environment files hold a PEM on one line, with `\n` written out. */
function unescapeNewlines(pem: string): string {
  return pem.replaceAll('\\n', '\n');
}

const rotation = 'While it is changed, several';

export const keys = new Section('Keys', {
  hashingKeys: variable('HASHING_KEY', hashingKeys, {
    required: 'openssl rand -base64 32',
    secret: true,
    about: `At least 32 random bytes in base64, which key every stored hash: \`openssl rand -base64 32\`. ${rotation}, separated by commas: the first is current, the others are accepted. In development one is made and kept in \`DATA_DIR\`.`,
  }),
  signingKeys: variable('SIGNING_KEY', signingKeys, {
    required: 'openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256',
    secret: true,
    about: `A P-256 private key in PEM, which signs access tokens; line breaks may be written as \`\\n\`: \`openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256\`. ${rotation}, one after the other: the first signs, the others, private or public, are accepted. In development one is made and kept in \`DATA_DIR\`.`,
  }),
  backendKeys: variable('BACKEND_KEYS', keysForHeaders, {
    default: '',
    secret: true,
    about:
      'What servers of your own that call for their visitors send as `X-Backend-Key`: `openssl rand -hex 32`, several separated by commas. Then the address in `X-Client-IP` is the client. They open nothing else.',
  }),
  serviceKeys: variable('SERVICE_KEY', keysForHeaders, {
    default: '',
    secret: true,
    about: `Opens \`/admin\` and \`/metrics\`: \`openssl rand -hex 32\`. ${rotation}, separated by commas. Without it nothing opens \`/admin\`, and \`/metrics\` is open in development only, on this machine.`,
  }),
});
