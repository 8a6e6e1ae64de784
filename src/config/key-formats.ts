import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';

/**
 * Text that stands in examples everywhere; whoever deploys it has forgotten to replace it. No word is so short that
 * a random key in base64 would ever contain it.
 */
const placeholder = /change.?me|replace.?me|your.?key|secret|password|example|placeholder|default|x{8}/i;

const hashingKeyRemedy = 'make one with: openssl rand -base64 32';
const serviceKeyRemedy = 'make one with: openssl rand -hex 32';
const signingKeyRemedy = 'make one with: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256';

/** What is wrong with the text of a hashing key and what to do about it; null when nothing is. */
export function hashingKeyProblem(text: string): string | null {
  if (placeholder.test(text)) return `is a placeholder: ${hashingKeyRemedy}`;
  const bytes = decodeHashingKey(text);
  // Node reads base64 leniently: of a passphrase it would take the letters and leave the rest.
  if (!/^[\w+/-]+={0,2}\s*$/.test(text) || bytes.length < 32) {
    return `must be at least 32 bytes in base64: ${hashingKeyRemedy}`;
  }
  return new Set(bytes).size < 8 ? `repeats itself: ${hashingKeyRemedy}` : null;
}

export function decodeHashingKey(text: string): Buffer {
  return Buffer.from(text, 'base64');
}

/** What is wrong with the PEM of a signing key and what to do about it; null when nothing is. */
export function signingKeyProblem(pem: string): string | null {
  return isP256(() => decodeSigningKey(pem))
    ? null
    : `must be a P-256 private key in PEM: ${signingKeyRemedy}`;
}

/** @throws when it is no private key */
export function decodeSigningKey(pem: string): KeyObject {
  return createPrivateKey(unescapeNewlines(pem));
}

/** What is wrong with the PEMs of earlier signing keys and what to do about it; null when nothing is. */
export function previousSigningKeysProblem(pems: string): string | null {
  const blocks = pemBlocks(pems);
  const isRight =
    blocks.length > 0 &&
    unescapeNewlines(pems).replace(pemBlock, '').trim() === '' &&
    blocks.every((pem) => isP256(() => createPublicKey(pem)));
  return isRight ? null : 'must be P-256 keys in PEM, private or public, one after the other';
}

/**
 * The public halves: nothing is signed with an earlier key again, so its private half need not be kept.
 * @throws when one is no key
 */
export function decodePreviousSigningKeys(pems: string): KeyObject[] {
  return pemBlocks(pems).map((pem) => createPublicKey(pem));
}

export function webhookSecretProblem(text: string): string | null {
  return placeholder.test(text) ? 'is a placeholder: use the secret that your gateway gave you' : null;
}

/**
 * What is wrong with the text of a service key and what to do about it; null when nothing is. It travels in a header, so
 * it has the characters of a bearer token (RFC 6750, section 2.1).
 */
export function serviceKeyProblem(text: string): string | null {
  if (placeholder.test(text)) return `is a placeholder: ${serviceKeyRemedy}`;
  if (!/^[\w.~+/-]{32,512}=*$/.test(text)) {
    return `must be 32 to 512 letters, digits or any of . ~ + / - _ (= at the end): ${serviceKeyRemedy}`;
  }
  return new Set(text).size < 8 ? `repeats itself: ${serviceKeyRemedy}` : null;
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
    // What OpenSSL says about it helps nobody; the remedy does.
    return false;
  }
}

/** Environment files hold a PEM on one line, with `\n` written out. */
function unescapeNewlines(pem: string): string {
  return pem.replaceAll('\\n', '\n');
}
