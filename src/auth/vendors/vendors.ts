import { Logger, type Provider } from '@nestjs/common';
import { MailerService } from '@nestjs-modules/mailer';
import { Config } from '../../config/config.js';
import { someOf } from '../../config/readers.js';
import { type AnySection, Section, variable } from '../../config/section.js';
import { service } from '../../config/service.config.js';
import { missingForCarriers, smsAbuse } from '../../config/sms-abuse.config.js';
import { Clock } from '../../platform/clock.js';
import { NotificationProvider } from '../messages/notification-provider.js';
import { DeliveryEvents } from '../reports/delivery-events.js';
import { InboundSms } from '../reports/inbound-sms.js';
import { EmailCarriers } from '../reports/report-fields.js';
import type { Vendor } from '../messages/vendor.js';
import { ReturnPath } from './smtp/return-path.js';
import { emailProviders, inboxSmsProvider, smtp } from './smtp/smtp.vendor.js';
import { postmark } from './postmark/postmark.vendor.js';
import { sendgrid } from './sendgrid/sendgrid.vendor.js';
import { ses } from './ses/ses.vendor.js';
import { twilio } from './twilio/twilio.vendor.js';
import { vonage } from './vonage/vonage.vendor.js';
import { webhook } from './webhook/webhook.vendor.js';

/** Every vendor. To remove one, delete its folder, its import and its name here; to add one, do the reverse. */
const vendors: readonly Vendor[] = [twilio, vonage, webhook, smtp, ses, postmark, sendgrid];

const smsVendors = vendors.filter(({ sms }) => sms).map(({ name }) => name);
const vendorNamed = (name: string) => vendors.find((vendor) => vendor.name === name);

const smsConfig = new Section(
  'SMS',
  {
    order: variable('SMS_PROVIDERS', someOf(...smsVendors), {
      about: `The vendors of SMS in order of preference, separated by commas: ${smsVendors.map((name) => `\`${name}\``).join(', ')}. Without it: those that are set up.`,
    }),
  },
  {
    check({ order = [] }, valuesOf) {
      const isSetUp = ({ config }: Vendor) => config.isSetUp(valuesOf(config));
      const hasCarrier = vendors.some((vendor) => vendor.sms && isSetUp(vendor));
      const notSetUp = order.map((name) => {
        const vendor = vendorNamed(name);
        return (
          vendor && !isSetUp(vendor) && `SMS_PROVIDERS names ${name}, which needs ${vendor.config.needs}`
        );
      });
      const isPaidFor = valuesOf(service).production === true && hasCarrier;
      return [...notSetUp, ...(isPaidFor ? missingForCarriers(valuesOf(smsAbuse)) : [])];
    },
  },
);

/** What `readConfig` reads for the vendors. */
export const vendorSections: readonly AnySection[] = [smsConfig, ...vendors.map(({ config }) => config)];

/** Where providers report. */
export const reportControllers = vendors.flatMap(({ controllers }) => controllers);

/** What those need. */
export const reportProviders: Provider[] = [
  DeliveryEvents,
  InboundSms,
  EmailCarriers,
  ...vendors.flatMap(({ providers = [] }) => providers),
];

/** The carriers of SMS to the outside, in order of preference; none when no vendor is set up. */
export function smsProviders(config: Config, clock: Clock): NotificationProvider[] {
  return (smsConfig.of(config).order ?? smsVendors)
    .map((name) => vendorNamed(name)?.sms?.(config, clock))
    .filter((provider) => provider !== undefined);
}

/**
 * The carriers of messages, by configuration, those of a channel in order of preference. A channel without one is not
 * served: its messages end as `failed`, `no_provider`.
 */
export function notificationProviders(
  config: Config,
  mailer: MailerService,
  clock: Clock,
  returnPath?: ReturnPath,
): readonly NotificationProvider[] {
  const [idHeader] = vendors.flatMap((vendor) => vendor.idHeader?.(config) ?? []);
  const email = emailProviders(config, mailer, clock, { returnPath, idHeader });
  const sms = smsProviders(config, clock);
  if (sms.length > 0) return [...email, ...sms];
  if (config.inbox) return [...email, inboxSmsProvider(config, mailer, clock)];
  new Logger('NotificationProviders').warn(
    'No provider for SMS: they will fail. Set SMS_WEBHOOK_URL, TWILIO_ACCOUNT_SID or VONAGE_API_KEY',
  );
  return email;
}

/** The providers that are set up; asked to send by those who deliver, and for their names by those who take reports. */
export const vendorProviders: Provider[] = [
  ReturnPath,
  {
    provide: NotificationProvider,
    inject: [Config, MailerService, Clock, ReturnPath],
    useFactory: notificationProviders,
  },
];
