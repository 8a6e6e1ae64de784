import type { Clock } from '../../clock.js';
import type { Config, SmsVendor } from '../../config.js';
import type { NotificationProvider } from './notification-provider.js';
import { TwilioSmsProvider } from './providers/twilio-sms.provider.js';
import { VonageSmsProvider } from './providers/vonage-sms.provider.js';
import { WebhookSmsProvider } from './providers/webhook-sms.provider.js';

type Maker = (config: Config, clock: Clock) => NotificationProvider | undefined;

const makers: Readonly<Record<SmsVendor, Maker>> = {
  twilio: ({ sms, publicUrl }) => sms.twilio && new TwilioSmsProvider({ ...sms.twilio, publicUrl }),
  vonage: ({ sms, publicUrl }) => sms.vonage && new VonageSmsProvider({ ...sms.vonage, publicUrl }),
  webhook: ({ sms: { webhook } }, clock) => webhook && new WebhookSmsProvider(webhook, clock),
};

/**
 * Who carries an SMS to the outside, in order of preference; none when nobody is configured.
 * @throws ConfigurationError when one cannot work with what it is given
 */
export function smsProviders(config: Config, clock: Clock): NotificationProvider[] {
  return config.sms.providers
    .map((vendor) => makers[vendor](config, clock))
    .filter((provider) => provider !== undefined);
}
