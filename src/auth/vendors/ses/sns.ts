import { createVerify, type KeyObject, X509Certificate } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { unavailable } from '../../../http/api-error.js';
import { readAtMost } from '../../../http/bounded-body.js';
import { Clock } from '../../../platform/clock.js';
import { MemorySlidingLog } from '../../../rate-limit/memory-sliding-log.storage.js';
import { snsHostOf } from './ses.config.js';

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

const timeoutMs = 5_000;
const maxBytes = 64 * 1024;

/**
 * What is fetched from SNS: certificates, and the confirmation of a subscription. The address comes from the message that
 * is to be verified, so it must be at the one host of the topic: anybody may have a bucket `sns`, which is
 * `sns.s3-us-west-2.amazonaws.com`. Only a test puts another class in the place of this one.
 */
export class SnsEndpoint {
  /**
   * The text at an address of SNS.
   * @param topic one of ours
   * @throws ApiError 503 when SNS cannot be asked now: it tries again after that, and after no other error
   * @throws Error when it is no address of that topic's SNS, or there is nothing at it
   */
  async fetch(address: string, topic: string): Promise<string> {
    const url = new URL(address);
    // The whole address as it is understood: no other scheme or port, no user, no fragment.
    if (url.href !== `https://${snsHostOf(topic)}${url.pathname}${url.search}`) {
      throw new Error('Not an address of SNS');
    }
    const [status, text] = await this.read(url);
    if (status >= 500) throw unavailable(new Error(`SNS answered ${status}`));
    if (status !== 200) throw new Error(`SNS answered ${status}`);
    return text;
  }

  private async read(url: URL): Promise<[status: number, text: string]> {
    try {
      const response = await this.ask(url);
      return [response.status, await readAtMost(response, maxBytes)];
    } catch (cause) {
      throw unavailable(cause);
    }
  }

  protected ask(url: URL): Promise<Response> {
    return fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) });
  }
}

/** SNS has one certificate a region at a time. */
const maxKept = 16;
/** Certificates that are fetched in a window for those who post, before anybody has proved to be SNS. */
const fetchLimit = { ofOne: 10, ofAll: 60, windowMs: 10 * 60_000 };
const certificatePath = /^\/SimpleNotificationService-[\w-]{1,100}\.pem$/;
const subjectName = /^CN=sns(\.[a-z0-9-]+)?\.amazonaws\.com(\.cn)?$/m;

/**
 * The keys with which SNS signs, each fetched once. TLS, and the names in it, say that a certificate comes from there.
 * Amplification: each new address is a request of ours, so a client has few of them, and all together not many. One that
 * spends its own keeps no other from being heard.
 */
@Injectable()
export class SnsCertificates {
  private readonly kept = new Map<string, Promise<X509Certificate>>();
  private readonly fetches: MemorySlidingLog;

  constructor(
    private readonly endpoint: SnsEndpoint,
    private readonly clock: Clock,
  ) {
    this.fetches = new MemorySlidingLog(clock);
  }

  /**
   * @param topic one of ours, whose messages the key is to sign
   * @param client who says that the certificate is there
   * @throws ApiError 503 when it cannot be fetched now
   * @throws Error when there is no certificate of SNS at the address that is good now
   */
  async keyAt(address: string, topic: string, client: string): Promise<KeyObject> {
    const name = `${topic} ${address}`;
    let certificate = this.kept.get(name);
    if (!certificate) {
      certificate = this.fetch(address, topic, client);
      if (this.kept.size >= maxKept) this.kept.clear();
      this.kept.set(name, certificate);
      // The next message tries again.
      certificate.catch(() => this.kept.delete(name));
    }
    const { validFrom, validTo, publicKey } = await certificate;
    const now = this.clock.now();
    if (now < Date.parse(validFrom) || now > Date.parse(validTo))
      throw new Error('The certificate is not valid now');
    return publicKey;
  }

  private async fetch(address: string, topic: string, client: string): Promise<X509Certificate> {
    const { host, pathname, search } = new URL(address);
    if (host !== snsHostOf(topic) || !certificatePath.test(pathname) || search !== '')
      throw new Error('Not the address of a certificate');
    this.takeSlot(client);
    const certificate = new X509Certificate(await this.endpoint.fetch(address, topic));
    if (!subjectName.test(certificate.subject)) throw new Error('The certificate is not of SNS');
    return certificate;
  }

  /** @throws ApiError 503, after which SNS tries again */
  private takeSlot(client: string): void {
    const { ofOne, ofAll, windowMs } = fetchLimit;
    const all = this.fetches.reserve('all', windowMs, ofAll, 'sns-certificates');
    if (all.record.isBlocked) throw unavailable(new Error('Too many certificates were asked for'));
    const own = this.fetches.reserve(client, windowMs, ofOne, 'sns-certificates-of-one');
    if (!own.record.isBlocked) return;
    all.withdraw();
    throw unavailable(new Error('One client asked for too many certificates'));
  }
}
