import { generateKeyPairSync, randomBytes } from 'node:crypto';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** The keys that production cannot do without. */
export const productionKeys = {
  HASHING_KEY: randomBytes(32).toString('base64'),
  SIGNING_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
};
