import { generateKeyPairSync } from 'node:crypto';
import { ConfigurationError, readConfig } from '../../src/config/config.js';

const topic = 'arn:aws:sns:eu-central-1:123456789012:mail';
const keyOf = (type: 'ec' | 'rsa') => {
  const { publicKey } =
    type === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  return publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
};

it('takes nothing from anybody unless it is set up', () => {
  expect(readConfig({}).events).toEqual({
    webhookSecret: undefined,
    dsnSecret: undefined,
    sesTopics: [],
    postmark: undefined,
    sendgridKey: undefined,
  });
});

it('reads what is needed to verify reports', () => {
  const key = keyOf('ec');
  const { events } = readConfig({
    SES_TOPIC_ARNS: `${topic}, ${topic}2`,
    POSTMARK_WEBHOOK_USER: 'user',
    POSTMARK_WEBHOOK_PASSWORD: 'p'.repeat(16),
    SENDGRID_VERIFICATION_KEY: key,
  });
  expect(events).toMatchObject({
    sesTopics: [topic, `${topic}2`],
    postmark: { user: 'user' },
    sendgridKey: key,
  });
});

it.each([
  ['EVENTS_SECRET', 'no-prefix-but-long-enough-to-be-a-secret'],
  ['EVENTS_SECRET', `whsec_${Buffer.alloc(23, 1).toString('base64')}`],
  ['DSN_SECRET', 'fifteen-letters'],
  ['DSN_SECRET', 'a secret with spaces in it'],
  ['POSTMARK_WEBHOOK_PASSWORD', 'short'],
  ['SES_TOPIC_ARNS', 'a-topic-without-arn'],
  ['SES_TOPIC_ARNS', `${topic},arn:aws:sqs:eu-central-1:123456789012:mail`],
  ['SENDGRID_VERIFICATION_KEY', 'not a key'],
  ['SENDGRID_VERIFICATION_KEY', keyOf('rsa')],
])('refuses a %s that cannot be one, without repeating it', (name, value) => {
  const read = () => readConfig({ [name]: value });
  expect(read).toThrow(ConfigurationError);
  expect(read).toThrow(new RegExp(`${name} must be`));
  expect(read).not.toThrow(value);
});

it('refuses half a login of Postmark', () => {
  expect(() => readConfig({ POSTMARK_WEBHOOK_USER: 'user' })).toThrow(/belong together/);
});
