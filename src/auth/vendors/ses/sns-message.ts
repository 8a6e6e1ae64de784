import { createVerify, type KeyObject } from 'node:crypto';

/** What SNS posts (https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html). */
export interface SnsMessage {
  readonly Type: 'Notification' | 'SubscriptionConfirmation' | 'UnsubscribeConfirmation';
  readonly MessageId: string;
  readonly TopicArn: string;
  readonly Message: string;
  readonly Timestamp: string;
  readonly SignatureVersion: '1' | '2';
  readonly Signature: string;
  readonly SigningCertURL: string;
  readonly Subject?: string;
  readonly SubscribeURL?: string;
  readonly Token?: string;
}

const types = ['Notification', 'SubscriptionConfirmation', 'UnsubscribeConfirmation'];
const required = [
  ...['Type', 'MessageId', 'TopicArn', 'Message', 'Timestamp'],
  ...['SignatureVersion', 'Signature', 'SigningCertURL'],
];
const optional = ['Subject', 'SubscribeURL', 'Token'];

/** The message when it has all that one has; else null. */
export function snsMessageIn(fields: Readonly<Record<string, unknown>>): SnsMessage | null {
  const isText = (name: string) => typeof fields[name] === 'string';
  const isComplete =
    required.every(isText) &&
    optional.every((name) => fields[name] === undefined || fields[name] === null || isText(name)) &&
    types.includes(fields['Type'] as string) &&
    ['1', '2'].includes(fields['SignatureVersion'] as string);
  return isComplete ? (fields as unknown as SnsMessage) : null;
}

/** https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html */
export function isSignedBy(key: KeyObject, message: SnsMessage): boolean {
  const algorithm = message.SignatureVersion === '1' ? 'RSA-SHA1' : 'RSA-SHA256';
  return createVerify(algorithm).update(signedText(message), 'utf8').verify(key, message.Signature, 'base64');
}

/** Names and values of the signed fields, each on a line, in the order of their names. */
function signedText(message: SnsMessage): string {
  const names: readonly (keyof SnsMessage)[] =
    message.Type === 'Notification'
      ? ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type']
      : ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'];
  return names
    .filter((name) => typeof message[name] === 'string')
    .map((name) => `${name}\n${message[name] ?? ''}\n`)
    .join('');
}
