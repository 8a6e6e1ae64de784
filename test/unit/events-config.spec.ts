import { generateKeyPairSync } from 'node:crypto';
import { postmarkConfig } from '../../src/auth/vendors/postmark/postmark.config.js';
import { sendgridConfig } from '../../src/auth/vendors/sendgrid/sendgrid.config.js';
import { sesConfig } from '../../src/auth/vendors/ses/ses.config.js';
import { dsnConfig } from '../../src/auth/vendors/smtp/dsn.config.js';
import { vendorSections } from '../../src/auth/vendors/vendors.js';
import { webhookConfig } from '../../src/auth/vendors/webhook/webhook.config.js';
import { ConfigurationError, readConfig } from '../../src/config/config.js';

const read = (env: NodeJS.ProcessEnv) => readConfig(env, vendorSections);

const topic = 'arn:aws:sns:eu-central-1:123456789012:mail';
const keyOf = (type: 'ec' | 'rsa') => {
  const { publicKey } =
    type === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  return publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
};

it('takes nothing from anybody unless it is set up', () => {
  const config = read({});
  expect(sendgridConfig.of(config).verificationKey).toBeUndefined();
  expect(sesConfig.of(config).topics).toEqual([]);
  expect(dsnConfig.of(config).secret).toBeUndefined();
  expect(postmarkConfig.of(config).login).toBeUndefined();
  expect(webhookConfig.of(config).reportSecret).toBeUndefined();
});

it('reads what is needed to verify reports', () => {
  const verificationKey = keyOf('ec');
  const config = read({
    SES_TOPIC_ARNS: `${topic}, ${topic}2`,
    POSTMARK_WEBHOOK_LOGIN: `user:${'p'.repeat(16)}`,
    SENDGRID_VERIFICATION_KEY: verificationKey,
  });
  expect(sesConfig.of(config).topics).toEqual([topic, `${topic}2`]);
  expect(postmarkConfig.of(config).login).toBe(`user:${'p'.repeat(16)}`);
  expect(sendgridConfig.of(config)).toEqual({ verificationKey });
});

it.each([
  ['EVENTS_SECRET', 'no-prefix-but-long-enough-to-be-a-secret'],
  ['EVENTS_SECRET', `whsec_${Buffer.alloc(23, 1).toString('base64')}`],
  ['DSN_SECRET', 'fifteen-letters'],
  ['DSN_SECRET', 'a secret with spaces in it'],
  ['POSTMARK_WEBHOOK_LOGIN', 'user:short'],
  ['POSTMARK_WEBHOOK_LOGIN', 'a-user-without-a-password'],
  ['SES_TOPIC_ARNS', 'a-topic-without-arn'],
  ['SES_TOPIC_ARNS', 'arn:aws:sns:s3-us-west-2:123456789012:mail'],
  ['SES_TOPIC_ARNS', 'arn:aws-elsewhere:sns:eu-central-1:123456789012:mail'],
  ['SES_TOPIC_ARNS', `${topic},arn:aws:sqs:eu-central-1:123456789012:mail`],
  ['SENDGRID_VERIFICATION_KEY', 'not a key'],
  ['SENDGRID_VERIFICATION_KEY', keyOf('rsa')],
])('refuses a %s that cannot be one, without repeating it', (name, value) => {
  const reading = () => read({ [name]: value });
  expect(reading).toThrow(ConfigurationError);
  expect(reading).toThrow(new RegExp(`${name} must be`));
  expect(reading).not.toThrow(value);
});
