import { isPlaceholder } from '../../../config/keys.config.js';
import { isPlainHttp, isStrict } from '../../../config/plaintext.js';
import { url } from '../../../config/readers.js';
import { Section, variable } from '../../../config/section.js';
import { service } from '../../../config/service.config.js';

const minSecretBytes = 24;
const prefixed = /^whsec_([A-Za-z0-9+/]+={0,2})$/;
const remedy = 'echo "whsec_$(openssl rand -base64 32)"';

/** The bytes of a secret of Standard Webhooks: `whsec_` and base64, or the characters themselves. */
export function secretBytes(secret: string): Uint8Array {
  const encoded = prefixed.exec(secret)?.[1];
  return new Uint8Array(encoded === undefined ? Buffer.from(secret, 'utf8') : Buffer.from(encoded, 'base64'));
}

function gatewayUrl(given: string): string {
  const address = url('http', 'https')(given);
  const { username, password } = new URL(address);
  if (username || password) throw new Error('must not contain a user or password: requests are signed');
  return address;
}

function gatewaySecret(given: string): string {
  const isHalf = given.startsWith('whsec_') && !prefixed.test(given);
  if (!isHalf && secretBytes(given).length >= minSecretBytes) return given;
  throw new Error(
    `must be whsec_ and the base64 of at least ${minSecretBytes} bytes, or at least ${minSecretBytes} characters: ${remedy}`,
  );
}

function reportSecret(given: string): string {
  if (prefixed.test(given) && secretBytes(given).length >= minSecretBytes) return given;
  throw new Error(`must be whsec_ and the base64 of at least ${minSecretBytes} bytes: ${remedy}`);
}

export const webhookConfig = new Section(
  'A gateway of your own',
  {
    url: variable('SMS_WEBHOOK_URL', gatewayUrl, {
      about:
        'Your SMS gateway: each SMS is posted there, signed as [Standard Webhooks](https://www.standardwebhooks.com) describe it. In development without it and `SMTP_URL`, SMS go to the inbox.',
    }),
    secret: variable('SMS_WEBHOOK_SECRET', gatewaySecret, {
      secret: true,
      about: 'The secret to sign those posts with: `whsec_` and base64, as your gateway gave it to you.',
    }),
    reportSecret: variable('EVENTS_SECRET', reportSecret, {
      secret: true,
      about:
        'What reports of a gateway of your own are signed with, for mail or SMS: `whsec_` and base64. Without it they are not taken.',
    }),
  },
  {
    together: ['url', 'secret'],
    check: ({ url: gateway, secret = '' }, valuesOf) => [
      isStrict(valuesOf(service), 'gateway') &&
        isPlainHttp(gateway) &&
        'SMS_WEBHOOK_URL begins with http://: numbers and codes would travel in plain text. Begin it with https://, or set ALLOW_PLAINTEXT=gateway',
      valuesOf(service).production === true &&
        isPlaceholder(secret) &&
        'SMS_WEBHOOK_SECRET is a placeholder: use the secret that your gateway gave you',
    ],
  },
);
