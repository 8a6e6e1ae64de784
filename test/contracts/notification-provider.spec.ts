import {
  type OutgoingMessage,
  PermanentDeliveryError,
  TransientDeliveryError,
} from '../../src/auth/messages/notification-provider.js';
import {
  shortTimeoutMs,
  type ProviderRig,
  smtpRig,
  twilioRig,
  vonageRig,
  webhookRig,
} from '../support/provider-rigs.js';

describe.each([
  ['SmtpProvider', () => smtpRig('email')],
  ['InboxSmsProvider', () => smtpRig('sms')],
  ['TwilioSmsProvider', twilioRig],
  ['VonageSmsProvider', vonageRig],
  ['WebhookSmsProvider', webhookRig],
])('%s as a notification provider', (_name, start) => {
  let rig: ProviderRig;
  let message: OutgoingMessage;

  beforeEach(async () => {
    rig = await start();
    message = {
      messageId: 'msg_0198c0ffee7b7c1e9d1f2a3b4c5d6e7f',
      to: rig.to,
      subject: 'Confirm',
      text: 'Your code is 987654',
      html: '<p>Your code is 987654</p>',
    };
  });

  afterEach(() => rig.stop());

  it('hands the message over and keeps the name that the vendor gave it', async () => {
    rig.takesOverAs('4WxYz12345');
    await expect(rig.provider.send(message)).resolves.toEqual({ receiptId: '4WxYz12345' });
    expect(rig.arrived()).toEqual([message.messageId]);
  });

  it('has no receipt when the vendor names none', async () => {
    await expect(rig.provider.send(message)).resolves.toEqual({ receiptId: null });
  });

  it('sends the same id on every attempt, so that a vendor can recognise a repetition', async () => {
    await rig.provider.send(message);
    await rig.provider.send(message);
    expect(rig.arrived()).toEqual([message.messageId, message.messageId]);
  });

  it('serves many at once', async () => {
    const ids = Array.from({ length: 20 }, (_, n) => `msg_${n.toString(16).padStart(32, '0')}`);
    await Promise.all(ids.map((messageId) => rig.provider.send({ ...message, messageId })));
    expect(rig.arrived().toSorted()).toEqual(ids.toSorted());
  });

  it('tells a refusal of the recipient as permanent', async () => {
    rig.refusesForGood();
    const error = await failureOf(rig.provider.send(message));
    expect(error).toBeInstanceOf(PermanentDeliveryError);
    expect((error as PermanentDeliveryError).reason).toMatch(/^rejected_/);
  });

  it('tells a refusal for now as transient, and delivers afterwards', async () => {
    rig.refusesForNow();
    const error = await failureOf(rig.provider.send(message));
    expect(error).toBeInstanceOf(TransientDeliveryError);
    expect(error).toMatchObject({ outcomeUnknown: false });
    rig.recovers();
    await rig.provider.send(message);
    expect(rig.arrived()).toContain(message.messageId);
  });

  it('gives up waiting for an answer after its timeout, and delivers afterwards', async () => {
    rig.neverAnswers();
    const started = performance.now();
    const error = await failureOf(rig.withShortTimeout.send(message));
    expect(error).toBeInstanceOf(TransientDeliveryError);
    expect(error).toMatchObject({ reason: 'timed_out', outcomeUnknown: true });
    expect(performance.now() - started).toBeLessThan(shortTimeoutMs * 15);
    rig.recovers();
    await expect(rig.provider.send(message)).resolves.toEqual({ receiptId: null });
  });

  it('sends once, and says that nobody knows, when the vendor hangs up before it has answered', async () => {
    rig.hangsUp();
    const error = await failureOf(rig.provider.send(message));
    expect(error).toBeInstanceOf(TransientDeliveryError);
    expect(error).toMatchObject({ outcomeUnknown: true });
    expect(rig.arrived()).toEqual([message.messageId]);
  });

  it('calls a vendor who is away transient, and knows that nothing was sent', async () => {
    await rig.goesAway();
    const error = await failureOf(rig.provider.send(message));
    expect(error).toBeInstanceOf(TransientDeliveryError);
    expect(error).toMatchObject({ reason: 'connection_failed', outcomeUnknown: false });
  });

  it.each([
    ['a line break in the recipient', { to: 'user@example.com\r\nBcc: victim@example.com' }],
    ['a command in the recipient', { to: 'user@example.com>\r\nRCPT TO:<victim@example.com' }],
    ['a line break in the subject', { subject: 'Hello\r\nBcc: victim@example.com' }],
    ['a line break in the id', { messageId: 'msg_0198c0ffee7b7c1e9d1f2a3b4c5d6e7f\r\nX-Evil: yes' }],
    ['a NUL in the recipient', { to: 'user\u0000@example.com' }],
    ['no recipient', { to: '' }],
  ])('refuses %s for good and sends nothing', async (_what, broken) => {
    const error = await failureOf(rig.provider.send({ ...message, ...broken }));
    expect(error).toBeInstanceOf(PermanentDeliveryError);
    expect(error).toMatchObject({ reason: 'malformed_message' });
    expect(rig.arrived()).toEqual([]);
  });

  it('names neither recipient nor code in an error or its cause, because errors are logged', async () => {
    for (const misbehave of [rig.refusesForGood, rig.refusesForNow, rig.hangsUp]) {
      misbehave();
      const error = await failureOf(rig.provider.send(message));
      const told = `${error.message} ${error.stack} ${String((error.cause as Error | undefined)?.stack)}`;
      expect(told).not.toContain(rig.to);
      expect(told).not.toContain('987654');
      rig.recovers();
    }
  });
});

async function failureOf(sending: Promise<unknown>): Promise<Error> {
  return sending.then(
    () => {
      throw new Error('It was sent');
    },
    (error: unknown) => error as Error,
  );
}
