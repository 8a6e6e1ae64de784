import { someOf } from '../../config/readers.js';
import { type AnySection, Section, variable } from '../../config/section.js';
import { postmarkConfig } from './postmark/postmark.config.js';
import { sendgridConfig } from './sendgrid/sendgrid.config.js';
import { sesConfig } from './ses/ses.config.js';
import { dsnConfig } from './smtp/dsn.config.js';
import { twilioConfig } from './twilio/twilio.config.js';
import { vonageConfig } from './vonage/vonage.config.js';
import { webhookConfig } from './webhook/webhook.config.js';

/** Vendors of SMS, by the names that `SMS_PROVIDERS` has for them. */
const smsSections = { twilio: twilioConfig, vonage: vonageConfig, webhook: webhookConfig };

export type SmsVendor = keyof typeof smsSections;

const smsVendors = Object.keys(smsSections) as SmsVendor[];

const smsConfig = new Section(
  'SMS',
  {
    order: variable('SMS_PROVIDERS', someOf(...smsVendors), {
      about: `The vendors of SMS in order of preference, separated by commas: ${smsVendors.map((name) => `\`${name}\``).join(', ')}. Without it: those that are set up.`,
    }),
  },
  {
    check: ({ order = [] }, valuesOf) =>
      order.map((vendor) => {
        const section: AnySection = smsSections[vendor];
        const needs = section.isSetUp(valuesOf(section)) ? undefined : section.needs;
        return needs && `SMS_PROVIDERS names ${vendor}, which needs ${needs}`;
      }),
  },
);

/** What `readConfig` reads for the vendors. */
export const vendorSections = [
  smsConfig,
  twilioConfig,
  vonageConfig,
  webhookConfig,
  dsnConfig,
  sesConfig,
  postmarkConfig,
  sendgridConfig,
] as const;

/** The vendors of SMS that are set up, in order of preference. */
export function smsVendorsOf(config: Parameters<typeof smsConfig.of>[0]): readonly SmsVendor[] {
  return smsConfig.of(config).order ?? smsVendors.filter((name) => smsSections[name].ifSetUp(config));
}
