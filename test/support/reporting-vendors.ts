import { createHash, createHmac, generateKeyPairSync, randomUUID, sign as signWith } from 'node:crypto';
import { SignJWT } from 'jose';

/** Where the service believes it is reached; Twilio signs it. */
export const publicUrl = 'https://auth.example.com';

export interface Report {
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

interface Signing {
  /** Other than the one that the service knows. */
  readonly secret?: string;
  /** Milliseconds since 1970. */
  readonly at?: number;
}

/** What a report says, in the words of this suite. */
export interface Saying {
  readonly messageId?: string;
  /** The vendor's name for the message. */
  readonly receipt?: string;
  readonly status: 'on its way' | 'delivered' | 'failed';
}

/** A vendor who reports, with signatures made here and not by the code that checks them. */
export interface ReportingVendor {
  /** As it stands in `delivery_events`. */
  readonly provider: string;
  readonly channel: 'email' | 'sms';
  readonly path: string;
  /** Whether a signature names its time. */
  readonly hasAge: boolean;
  /** Whether it covers the body; else it is a password. */
  readonly coversBody: boolean;
  /** Whether it may name a message by the vendor's own name for it. */
  readonly hasReceipts: boolean;
  readonly env: Record<string, string>;
  say(saying: Saying): { path: string; body: string };
  sign(path: string, body: string, signing?: Signing): Promise<Record<string, string>>;
}

const secrets = {
  twilio: 'twilio-auth-token',
  vonage: 'vonage-signature-secret-of-the-account',
  webhook: Buffer.alloc(32, 'events').toString('base64'),
  dsn: 'a-secret-of-the-mail-server',
  postmark: 'password-of-the-webhook',
};

const twilio: ReportingVendor = {
  provider: 'twilio',
  channel: 'sms',
  path: '/events/twilio',
  hasAge: false,
  coversBody: true,
  hasReceipts: true,
  env: { TWILIO_ACCOUNT_SID: 'AC0011', TWILIO_AUTH_TOKEN: secrets.twilio, TWILIO_FROM: '+15005550006' },
  say({ messageId, receipt = 'SM1', status }) {
    const MessageStatus = { 'on its way': 'sent', delivered: 'delivered', failed: 'failed' }[status];
    const ErrorCode = status === 'failed' ? { ErrorCode: '30008' } : {};
    const body = new URLSearchParams({
      To: '+12345678901',
      MessageStatus,
      MessageSid: receipt,
      ...ErrorCode,
    });
    const query = messageId === undefined ? '' : `?message_id=${messageId}`;
    return { path: `/events/twilio${query}`, body: body.toString() };
  },
  async sign(path, body, { secret = secrets.twilio } = {}) {
    const fields = [...new URLSearchParams(body)].sort(([a], [b]) => (a < b ? -1 : 1)).flat();
    const signed = publicUrl + path + fields.join('');
    return {
      'content-type': 'application/x-www-form-urlencoded',
      'x-twilio-signature': createHmac('sha1', secret).update(signed).digest('base64'),
    };
  },
};

const vonage: ReportingVendor = {
  provider: 'vonage',
  channel: 'sms',
  path: '/events/vonage',
  hasAge: true,
  coversBody: true,
  hasReceipts: true,
  env: { VONAGE_SIGNATURE_SECRET: secrets.vonage },
  say({ messageId, receipt = 'b3f1', status }) {
    const words = { 'on its way': 'submitted', delivered: 'delivered', failed: 'rejected' };
    const error = { type: 'https://developer.vonage.com/api-errors/messages#1260', title: 1260 };
    const body = {
      message_uuid: receipt,
      ...(messageId === undefined ? {} : { client_ref: messageId }),
      status: words[status],
      to: '12345678901',
      timestamp: new Date().toISOString(),
      ...(status === 'failed' ? { error } : {}),
    };
    return { path: '/events/vonage', body: JSON.stringify(body) };
  },
  async sign(_path, body, { secret = secrets.vonage, at = Date.now() } = {}) {
    const payload_hash = createHash('sha256').update(body).digest('hex');
    const token = await new SignJWT({ payload_hash, api_key: 'abcd1234' })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setIssuer('Vonage')
      .setIssuedAt(Math.floor(at / 1_000))
      .setJti(randomUUID())
      .sign(Buffer.from(secret));
    return { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  },
};

const webhook: ReportingVendor = {
  provider: 'webhook',
  channel: 'sms',
  path: '/events/webhook',
  hasAge: true,
  coversBody: true,
  hasReceipts: true,
  env: { EVENTS_SECRET: `whsec_${secrets.webhook}` },
  say({ messageId, receipt, status }) {
    const words = { 'on its way': 'delayed', delivered: 'delivered', failed: 'failed' };
    const body = {
      type: `message.${words[status]}`,
      timestamp: new Date().toISOString(),
      data: { message_id: messageId, id: receipt },
    };
    return { path: '/events/webhook', body: JSON.stringify(body) };
  },
  async sign(_path, body, { secret = secrets.webhook, at = Date.now() } = {}) {
    const id = `evt_${createHash('sha256').update(body).digest('hex')}`;
    const seconds = Math.floor(at / 1_000);
    const signed = `${id}.${seconds}.${body}`;
    const signature = createHmac('sha256', Buffer.from(secret, 'base64')).update(signed).digest('base64');
    return {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(seconds),
      'webhook-signature': `v1,${signature}`,
    };
  },
};

const dsn: ReportingVendor = {
  provider: 'dsn',
  channel: 'email',
  path: '/events/dsn',
  hasAge: false,
  coversBody: false,
  hasReceipts: false,
  env: { DSN_SECRET: secrets.dsn },
  say({ messageId = 'msg_1', status }) {
    const words = {
      'on its way': ['delayed', '4.4.1'],
      delivered: ['delivered', '2.0.0'],
      failed: ['failed', '5.2.2'],
    } as const;
    const [action, code] = words[status];
    return { path: '/events/dsn', body: notification({ messageId, action, code }) };
  },
  async sign(_path, _body, { secret = secrets.dsn } = {}) {
    return { 'content-type': 'message/rfc822', authorization: `Bearer ${secret}` };
  },
};

interface Notification {
  /** Of the mail that it is about. */
  readonly messageId: string;
  readonly action: string;
  readonly code: string;
  /** Whom the notification is sent to. */
  readonly to?: string;
  readonly finalRecipient?: string;
}

/** A delivery status notification as Postfix writes it (RFC 3464). */
export function notification({
  messageId,
  action,
  code,
  to = 'no-reply@example.com',
  finalRecipient = 'user@example.org',
}: Notification): string {
  const lines = [
    'Return-Path: <>',
    'Date: Sat, 31 Jan 2026 12:00:00 +0000 (UTC)',
    'From: MAILER-DAEMON@mx.example.net (Mail Delivery System)',
    'Subject: Undelivered Mail Returned to Sender',
    `To: ${to}`,
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status;',
    '\tboundary="4Xyz/mx.example.net"',
    `Message-Id: <${createHash('sha1')
      .update(messageId + action + code)
      .digest('hex')}@mx.example.net>`,
    '',
    'This is a MIME-encapsulated message.',
    '',
    '--4Xyz/mx.example.net',
    'Content-Description: Notification',
    'Content-Type: text/plain; charset=us-ascii',
    '',
    'This is the mail system at host mx.example.net.',
    '',
    '--4Xyz/mx.example.net',
    'Content-Description: Delivery report',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mx.example.net',
    'Arrival-Date: Sat, 31 Jan 2026 12:00:00 +0000 (UTC)',
    '',
    `Final-Recipient: rfc822; ${finalRecipient}`,
    `Action: ${action}`,
    `Status: ${code} (says the host)`,
    'Remote-MTA: dns; mail.example.org',
    `Diagnostic-Code: smtp; 550 ${code} <${finalRecipient}>: Recipient address`,
    '    rejected: User unknown',
    '',
    '--4Xyz/mx.example.net',
    'Content-Description: Undelivered Message',
    'Content-Type: message/rfc822',
    '',
    'From: Example <no-reply@example.com>',
    'Subject: Confirm',
    `Message-ID: <${messageId}@example.com>`,
    '',
    'Message-ID: <msg_00000000000000000000000000000000@example.com> is not a header here.',
    '',
    '--4Xyz/mx.example.net--',
    '',
  ];
  return lines.join('\r\n');
}

const postmark: ReportingVendor = {
  provider: 'postmark',
  channel: 'email',
  path: '/events/postmark',
  hasAge: false,
  coversBody: false,
  hasReceipts: true,
  env: { POSTMARK_WEBHOOK_LOGIN: `hook-user:${secrets.postmark}` },
  say({ messageId, receipt = 'pm-1', status }) {
    const words = {
      'on its way': { RecordType: 'Bounce', ID: 1, Type: 'Transient' },
      delivered: { RecordType: 'Delivery' },
      failed: { RecordType: 'Bounce', ID: 2, Type: 'SoftBounce' },
    };
    const about = {
      MessageID: receipt,
      Metadata: messageId === undefined ? {} : { 'Message-Id': messageId },
    };
    const body = {
      ...words[status],
      ...about,
      Email: 'user@example.org',
      DeliveredAt: '2026-01-31T12:00:00Z',
    };
    return { path: '/events/postmark', body: JSON.stringify(body) };
  },
  async sign(_path, _body, { secret = secrets.postmark } = {}) {
    const login = Buffer.from(`hook-user:${secret}`).toString('base64');
    return { 'content-type': 'application/json', authorization: `Basic ${login}` };
  },
};

const sendgridKeys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const anotherKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

const sendgrid: ReportingVendor = {
  provider: 'sendgrid',
  channel: 'email',
  path: '/events/sendgrid',
  hasAge: false,
  coversBody: true,
  hasReceipts: true,
  env: {
    SENDGRID_VERIFICATION_KEY: sendgridKeys.publicKey
      .export({ format: 'der', type: 'spki' })
      .toString('base64'),
  },
  say({ messageId, receipt = 'sg-1', status }) {
    const words = {
      'on its way': { event: 'deferred' },
      delivered: { event: 'delivered' },
      failed: { event: 'bounce', type: 'bounce', status: '5.2.2' },
    };
    const event = {
      ...words[status],
      email: 'user@example.org',
      timestamp: Math.floor(Date.now() / 1_000),
      sg_event_id: createHash('sha1').update(`${messageId} ${receipt} ${status}`).digest('base64url'),
      sg_message_id: `${receipt}.recvd-5f6c-1-5F`,
      ...(messageId === undefined ? {} : { 'smtp-id': `<${messageId}@example.com>` }),
    };
    return { path: '/events/sendgrid', body: JSON.stringify([event]) };
  },
  async sign(_path, body, { secret } = {}) {
    const timestamp = String(Math.floor(Date.now() / 1_000));
    const key = secret === undefined ? sendgridKeys.privateKey : anotherKey;
    return {
      'content-type': 'application/json',
      'x-twilio-email-event-webhook-timestamp': timestamp,
      'x-twilio-email-event-webhook-signature': signWith(
        'sha256',
        Buffer.from(timestamp + body),
        key,
      ).toString('base64'),
    };
  },
};

export const reportingVendors = { twilio, vonage, webhook, dsn, postmark, sendgrid } as const;

/** What the vendor sends to say it. */
export async function reportOf(
  vendor: ReportingVendor,
  saying: Saying,
  signing: Signing = {},
): Promise<Report> {
  const { path, body } = vendor.say(saying);
  return { path, body, headers: await vendor.sign(path, body, signing) };
}
