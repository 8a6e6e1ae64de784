import { createPublicKey } from 'node:crypto';
import { makeValidator, str } from 'envalid';
import { list } from './readers.js';

const minSecretBytes = 24;
const minPasswordCharacters = 16;

const secret = makeValidator<string>((text) => {
  const encoded = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text)?.[1];
  if (encoded === undefined || Buffer.from(encoded, 'base64').length < minSecretBytes) {
    throw new Error(
      `must be whsec_ and the base64 of at least ${minSecretBytes} bytes: echo "whsec_$(openssl rand -base64 32)"`,
    );
  }
  return text;
});

const password = makeValidator<string>((text) => {
  if (text.length < minPasswordCharacters || !/^[\x21-\x7e]+$/.test(text)) {
    throw new Error(
      `must be at least ${minPasswordCharacters} printable characters without spaces: openssl rand -hex 32`,
    );
  }
  return text;
});

/** RFC 5321 allows 64 octets before the `@`; 49 of them are what stands behind the name. */
const returnPath = makeValidator<string>((text) => {
  if (!/^[a-z0-9_.-]{1,15}@[a-z0-9-]+(\.[a-z0-9-]+)+$/i.test(text)) {
    throw new Error(
      'must be an address such as bounces@example.com, with at most 15 characters before the @',
    );
  }
  return text.toLowerCase();
});

/** An ECDSA key as SendGrid shows it: the base64 of its DER, without the lines of a PEM around it. */
const publicKey = makeValidator<string>((text) => {
  try {
    const key = createPublicKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'spki' });
    if (key.asymmetricKeyType === 'ec') return text;
  } catch {
    // Said below; what OpenSSL says about it helps nobody.
  }
  throw new Error('must be the verification key that SendGrid shows beside the webhook');
});

export const eventVariables = {
  MAIL_RETURN_PATH: returnPath({ default: undefined }),
  EVENTS_SECRET: secret({ default: undefined }),
  DSN_SECRET: password({ default: undefined }),
  SES_TOPIC_ARNS: list({ default: [] }),
  POSTMARK_WEBHOOK_USER: str({ default: undefined }),
  POSTMARK_WEBHOOK_PASSWORD: password({ default: undefined }),
  SENDGRID_VERIFICATION_KEY: publicKey({ default: undefined }),
};

/** The variables of this file as they were read. */
interface EventVariables {
  readonly MAIL_RETURN_PATH?: string | undefined;
  readonly EVENTS_SECRET?: string | undefined;
  readonly DSN_SECRET?: string | undefined;
  readonly SES_TOPIC_ARNS?: readonly string[];
  readonly POSTMARK_WEBHOOK_USER?: string | undefined;
  readonly POSTMARK_WEBHOOK_PASSWORD?: string | undefined;
  readonly SENDGRID_VERIFICATION_KEY?: string | undefined;
}

/** Where a topic of SNS is: the last parts are the account and the name. */
const topicArn = /^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}(\.fifo)?$/;

/**
 * Rules that tie these variables together. Each sentence says what to do.
 * @param v without those that are malformed
 */
export function eventRules(v: EventVariables): [broken: boolean, whatToDo: string][] {
  return [
    [
      (v.SES_TOPIC_ARNS ?? []).some((arn) => !topicArn.test(arn)),
      'SES_TOPIC_ARNS must be ARNs of topics, such as arn:aws:sns:eu-central-1:123456789012:mail',
    ],
    [
      Boolean(v.POSTMARK_WEBHOOK_USER) !== Boolean(v.POSTMARK_WEBHOOK_PASSWORD),
      'POSTMARK_WEBHOOK_USER and POSTMARK_WEBHOOK_PASSWORD belong together: set both or none',
    ],
  ];
}

/** What providers need to prove when they report; without it nothing is taken from them. */
export function eventsConfig(v: EventVariables) {
  return Object.freeze({
    webhookSecret: v.EVENTS_SECRET,
    dsnSecret: v.DSN_SECRET,
    sesTopics: Object.freeze([...(v.SES_TOPIC_ARNS ?? [])]),
    postmark:
      v.POSTMARK_WEBHOOK_USER && v.POSTMARK_WEBHOOK_PASSWORD
        ? Object.freeze({ user: v.POSTMARK_WEBHOOK_USER, password: v.POSTMARK_WEBHOOK_PASSWORD })
        : undefined,
    sendgridKey: v.SENDGRID_VERIFICATION_KEY,
  });
}
