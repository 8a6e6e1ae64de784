import { str } from 'envalid';
import { isConfidential, listOf, url } from './readers.js';

const vendors = ['twilio', 'vonage', 'webhook'] as const;

/** Who carries an SMS. */
export type SmsVendor = (typeof vendors)[number];

export const smsVariables = {
  SMS_PROVIDERS: listOf(...vendors)({ default: undefined }),
  TWILIO_ACCOUNT_SID: str({ default: undefined }),
  TWILIO_AUTH_TOKEN: str({ default: undefined }),
  TWILIO_FROM: str({ default: undefined }),
  TWILIO_API_URL: url('https', 'http')({ default: 'https://api.twilio.com' }),
  VONAGE_API_KEY: str({ default: undefined }),
  VONAGE_API_SECRET: str({ default: undefined }),
  VONAGE_FROM: str({ default: undefined }),
  VONAGE_SIGNATURE_SECRET: str({ default: undefined }),
  VONAGE_API_URL: url('https', 'http')({ default: 'https://api.nexmo.com' }),
  SMS_WEBHOOK_URL: url('http', 'https')({ default: undefined }),
  SMS_WEBHOOK_SECRET: str({ default: undefined }),
};

/** The variables of this file as they were read. */
interface SmsVariables {
  readonly SMS_PROVIDERS?: readonly SmsVendor[] | undefined;
  readonly TWILIO_ACCOUNT_SID?: string | undefined;
  readonly TWILIO_AUTH_TOKEN?: string | undefined;
  readonly TWILIO_FROM?: string | undefined;
  readonly TWILIO_API_URL?: string;
  readonly VONAGE_API_KEY?: string | undefined;
  readonly VONAGE_API_SECRET?: string | undefined;
  readonly VONAGE_FROM?: string | undefined;
  readonly VONAGE_SIGNATURE_SECRET?: string | undefined;
  readonly VONAGE_API_URL?: string;
  readonly SMS_WEBHOOK_URL?: string | undefined;
  readonly SMS_WEBHOOK_SECRET?: string | undefined;
}

/** What a vendor cannot do without. */
const neededBy = {
  twilio: ['TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN', 'TWILIO_FROM'],
  vonage: ['VONAGE_API_KEY', 'VONAGE_API_SECRET', 'VONAGE_FROM'],
  webhook: ['SMS_WEBHOOK_URL', 'SMS_WEBHOOK_SECRET'],
} as const satisfies Record<SmsVendor, readonly (keyof SmsVariables)[]>;

/**
 * Rules that tie these variables together. Each sentence says what to do.
 * @param v without those that are malformed
 */
export function smsRules(v: SmsVariables): [broken: boolean, whatToDo: string][] {
  const named = v.SMS_PROVIDERS;
  return [
    [named?.length === 0, 'SMS_PROVIDERS must name at least one, or be left out'],
    ...vendors.flatMap((vendor) => {
      const missing = neededBy[vendor].find((name) => !v[name]);
      return [
        [
          named?.includes(vendor) === true && missing !== undefined,
          `SMS_PROVIDERS names ${vendor}, which needs ${String(missing)}`,
        ],
      ] as [boolean, string][];
    }),
    ...(['twilio', 'vonage'] as const).map((vendor): [boolean, string] => {
      const names = neededBy[vendor];
      const set = names.filter((name) => v[name]);
      return [
        set.length > 0 && set.length < names.length,
        `${names.join(', ')} belong together: set all of them or none`,
      ];
    }),
    [
      Boolean(v.SMS_WEBHOOK_URL) && !v.SMS_WEBHOOK_SECRET,
      'SMS_WEBHOOK_URL needs SMS_WEBHOOK_SECRET to sign with',
    ],
    ...(['TWILIO_API_URL', 'VONAGE_API_URL'] as const).map((name): [boolean, string] => [
      !isConfidential(v[name]),
      `${name} must begin with https:// unless it is on this machine: secrets and codes are sent there`,
    ]),
  ];
}

export function smsConfig(v: SmsVariables) {
  const configured = vendors.filter((vendor) => neededBy[vendor].every((name) => v[name]));
  return Object.freeze({
    /** In order of preference. */
    providers: Object.freeze([...new Set(v.SMS_PROVIDERS ?? configured)]),
    /** Undefined when it is not set up. */
    twilio: configured.includes('twilio')
      ? Object.freeze({
          accountSid: v.TWILIO_ACCOUNT_SID ?? '',
          authToken: v.TWILIO_AUTH_TOKEN ?? '',
          from: v.TWILIO_FROM ?? '',
          apiUrl: v.TWILIO_API_URL ?? '',
        })
      : undefined,
    vonage: configured.includes('vonage')
      ? Object.freeze({
          apiKey: v.VONAGE_API_KEY ?? '',
          apiSecret: v.VONAGE_API_SECRET ?? '',
          from: v.VONAGE_FROM ?? '',
          apiUrl: v.VONAGE_API_URL ?? '',
        })
      : undefined,
    /** The signed webhook of a gateway of one's own. */
    webhook: configured.includes('webhook')
      ? Object.freeze({ url: v.SMS_WEBHOOK_URL ?? '', secret: v.SMS_WEBHOOK_SECRET ?? '' })
      : undefined,
    /** What Vonage signs its events with; without it they are not taken. */
    vonageSignatureSecret: v.VONAGE_SIGNATURE_SECRET,
  });
}
