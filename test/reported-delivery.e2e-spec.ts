import { NotificationProvider } from '../src/auth/messages/notification-provider.js';
import { SuppressionList } from '../src/auth/messages/suppression-list.js';
import { TwilioSmsProvider } from '../src/auth/vendors/twilio/twilio-sms.provider.js';
import { VonageSmsProvider } from '../src/auth/vendors/vonage/vonage-sms.provider.js';
import { ended, messageRow, resend } from './support/messages.js';
import { post } from './support/report-posting.js';
import { notification, publicUrl, reportingVendors } from './support/reporting-vendors.js';
import { SmsGateway } from './support/sms-gateway.js';
import { ScriptedSmtpServer } from './support/smtp-server.js';
import { type RunningApp, startApp } from './support/start-app.js';
import { insertUser } from './support/users.js';

const { twilio, vonage, dsn } = reportingVendors;

describe('What was sent', () => {
  let running: RunningApp;
  let gateway: SmsGateway;
  let mailServer: ScriptedSmtpServer;

  beforeAll(async () => {
    gateway = await SmsGateway.start();
    mailServer = await ScriptedSmtpServer.start();
  });
  afterEach(() => running.stop());
  afterAll(async () => {
    await gateway.stop();
    await mailServer.stop();
  });

  /** @param sms by whom SMS go instead of the vendors of the configuration: the same, at another address */
  const start = async (env: Record<string, string>, sms?: NotificationProvider) => {
    running = await startApp({
      env: {
        ALLOW_PUBLIC_DEVELOPMENT: 'true',
        PUBLIC_URL: publicUrl,
        SMTP_URL: mailServer.url,
        MAIL_FROM: 'no-reply@example.com',
        MAIL_RETURN_PATH: 'bounces@mail.example.com',
        ...env,
      },
      override: (module) => (sms ? module.overrideProvider(NotificationProvider).useValue([sms]) : module),
    });
  };
  const startTwilio = () => {
    const { TWILIO_ACCOUNT_SID: accountSid = '', TWILIO_AUTH_TOKEN: authToken = '' } = twilio.env;
    const settings = { accountSid, authToken, from: '+15005550006', publicUrl };
    return start(twilio.env, new TwilioSmsProvider(settings, undefined, gateway.url));
  };

  it('through Twilio is reported to the address that the SMS named', async () => {
    await startTwilio();
    gateway.answerWith(201, '{"sid":"SM0011","status":"queued"}');
    await insertUser(running, { phone: '+12025550111' });
    const messageId = await resend(running, { type: 'sms', phone: '+12025550111' });
    expect((await ended(running, messageId)).status).toBe('sent');
    const callback = new URL(new URLSearchParams(gateway.requests.at(-1)?.body).get('StatusCallback') ?? '');
    expect(callback.origin).toBe(publicUrl);
    const path = callback.pathname + callback.search;
    const body = new URLSearchParams({ MessageSid: 'SM0011', MessageStatus: 'delivered' }).toString();
    const answer = await post(running, { path, body, headers: await twilio.sign(path, body) });
    expect(answer.status).toBe(200);
    expect((await messageRow(running, messageId)).status).toBe('delivered');
  });

  it('to a number that has opted out at Twilio is the last, until it says START', async () => {
    await startTwilio();
    gateway.answerWith(400, '{"code":21610}');
    await insertUser(running, { phone: '+12025550113' });
    const messageId = await resend(running, { type: 'sms', phone: '+12025550113' });
    expect(await ended(running, messageId)).toMatchObject({ status: 'failed', reason: 'opted_out' });
    const list = running.app.get(SuppressionList);
    expect(await list.find('sms', '+12025550113')).toMatchObject({ reason: 'opt_out' });
    const path = '/events/twilio/inbound';
    const body = new URLSearchParams({ MessageSid: 'SM-in', From: '+12025550113', Body: 'START' }).toString();
    await post(running, { path, body, headers: await twilio.sign(path, body) });
    expect(await list.contains('sms', '+12025550113')).toBe(false);
  });

  it('through Vonage is reported under the reference that the SMS had', async () => {
    const settings = { apiKey: 'key', apiSecret: 'secret', from: 'Example', publicUrl };
    await start(vonage.env, new VonageSmsProvider(settings, undefined, gateway.url));
    gateway.answerWith(202, '{"message_uuid":"aaaa-bbbb"}');
    await insertUser(running, { phone: '+12025550112' });
    const messageId = await resend(running, { type: 'sms', phone: '+12025550112' });
    expect((await ended(running, messageId)).status).toBe('sent');
    const order = JSON.parse(gateway.requests.at(-1)?.body ?? '') as Record<string, string>;
    const { pathname: path } = new URL(order['webhook_url'] ?? '');
    const body = JSON.stringify({
      message_uuid: 'aaaa-bbbb',
      client_ref: order['client_ref'],
      status: 'delivered',
    });
    await post(running, { path, body, headers: await vonage.sign(path, body) });
    expect((await messageRow(running, messageId)).status).toBe('delivered');
  });

  it('by mail comes back to the address that its envelope named, and nothing more goes there', async () => {
    await start(dsn.env);
    await insertUser(running, { email: 'gone@example.org', emailConfirmedAt: new Date() });
    const messageId = await resend(running, { type: 'recovery', email: 'gone@example.org' });
    expect((await ended(running, messageId)).status).toBe('sent');
    const { from, parsed } = mailServer.received.at(-1)!;
    expect(from).toMatch(new RegExp(`^bounces\\+${messageId.slice(4)}[0-9a-f]{16}@mail\\.example\\.com$`));
    expect(parsed.from?.value).toMatchObject([{ address: 'no-reply@example.com' }]);
    const body = notification({ messageId, action: 'failed', code: '5.1.1', to: from });
    await post(running, { path: '/events/dsn', body, headers: await dsn.sign('', body) });
    expect(await messageRow(running, messageId)).toMatchObject({ status: 'bounced', reason: '5.1.1' });
    expect(await running.app.get(SuppressionList).contains('email', 'gone@example.org')).toBe(true);
  });
});
