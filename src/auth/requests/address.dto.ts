import { domainToASCII } from 'node:url';
import {
  IsDefined,
  isEmail,
  IsIn,
  IsOptional,
  IsString,
  MaxLength,
  ValidateBy,
  ValidateIf,
  type ValidationArguments,
} from 'class-validator';
import { applyDecorators } from '@nestjs/common';
import { Expose, Transform, type TransformFnParams } from 'class-transformer';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { type Channel, type ConfirmationType, confirmationTypes } from '../messages/confirmation-type.js';

/** Longest address of a mailbox that SMTP can carry (RFC 5321, section 4.5.3.1.3, erratum 1690). */
const maxEmailLength = 254;

/** RFC 5321, section 4.5.3.1.1. */
const maxLocalPartLength = 64;

// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const controlCharacter = /[\u0000-\u001f\u007f]/;

/** Printable ASCII without spaces: what is left of a local part once quoting and look-alikes are out. */
const plainLocalPart = /^[!-~]+$/;

/**
 * The one spelling under which an address is counted, looked up and sent to: trimmed, lower-cased, the domain in
 * ASCII (IDNA, UTS 46). Null when it is not a valid address of at most 254 characters. A local part outside ASCII is
 * refused, since few servers take it (RFC 6531) and its look-alikes would each have a quota of their own.
 */
export function normaliseEmail(text: string): string | null {
  if (text.length > 4 * maxEmailLength || controlCharacter.test(text)) return null;
  const trimmed = text.trim();
  const at = trimmed.lastIndexOf('@');
  const localPart = trimmed.slice(0, at);
  if (at < 1 || !plainLocalPart.test(localPart)) return null;
  const email = `${localPart}@${asciiDomain(trimmed.slice(at + 1))}`.toLowerCase();
  return email.length <= maxEmailLength && (isUsual(email) || isEmail(email)) ? email : null;
}

/**
 * Letters, digits and what most people have between them, which `isEmail` always takes; it takes more, and eight times
 * as long.
 */
function isUsual(email: string): boolean {
  return (
    /^[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@(?:[a-z0-9]+(?:-+[a-z0-9]+)*\.)+[a-z]{2,63}$/.test(email) &&
    email.lastIndexOf('@') <= maxLocalPartLength &&
    !/[^.@]{64}/.test(email)
  );
}

function asciiDomain(domain: string): string {
  // The usual domain has nothing to convert, and the check is a hundred times cheaper than the conversion.
  return /^[a-z0-9.-]+$/i.test(domain) ? domain : domainToASCII(domain);
}

/**
 * The number in E.164 by syntax only: `+`, then 2 to 15 digits, the first not 0. Spaces, dots, dashes and brackets
 * are taken out first. Null when something else is left.
 */
export function normalisePhone(text: string): string | null {
  if (text.length > 64) return null;
  const phone = text.replace(/[ .\-()[\]]/g, '');
  return /^\+[1-9][0-9]{1,14}$/.test(phone) ? phone : null;
}

interface AddressFieldOptions<T> {
  /** When the field counts; where it does not, anything may stand in it. */
  usedWhen: (request: T) => boolean;
  /** What a client is told when the field counts and is absent. */
  missing: string;
}

/** What stands in the place of an address that could not be normalised; no address is empty. */
const malformed = '';

function addressField<T>(
  normalise: (text: string) => string | null,
  rule: string,
  options: AddressFieldOptions<T>,
) {
  const toNormalForm = ({ value }: TransformFnParams): unknown => {
    if (value === undefined) return undefined;
    return (typeof value === 'string' ? normalise(value) : null) ?? malformed;
  };
  return applyDecorators(
    Expose(),
    Transform(toNormalForm),
    ValidateIf(options.usedWhen),
    IsDefined({ message: options.missing, context: { missing: true } }),
    ValidateBy(
      { name: 'isAddress', validator: { validate: (value) => value !== malformed } },
      { message: rule },
    ),
  );
}

/** An email address, in its normal form after validation. */
export function EmailField<T>(options: AddressFieldOptions<T>): PropertyDecorator {
  return addressField(
    normaliseEmail,
    '$property must be a valid email address of at most 254 characters',
    options,
  );
}

/** A phone number, in E.164 after validation. */
export function PhoneField<T>(options: AddressFieldOptions<T>): PropertyDecorator {
  return addressField(
    normalisePhone,
    '$property must be in E.164 form: a plus sign, then 2 to 15 digits, the first not 0',
    options,
  );
}

/** Which of the confirmations it is about. */
export function TypeField(documented: { description?: string; example?: ConfirmationType }) {
  return applyDecorators(
    ApiProperty({ enum: confirmationTypes, ...documented }),
    Expose(),
    IsDefined({ message: 'Type is required', context: { missing: true } }),
    IsIn(confirmationTypes, { message: `type must be one of ${confirmationTypes.join(', ')}` }),
  );
}

/** `signup` is about the email when there is one, else about the phone; every other type has one channel. */
export function channelOf({ type, email, phone }: Addressed & { type: ConfirmationType }): Channel {
  if (type === 'sms') return 'sms';
  return type === 'signup' && email === undefined && phone !== undefined ? 'sms' : 'email';
}

interface Addressed {
  email?: string;
  phone?: string;
}

export function RedirectToField(
  description = 'Where the person goes after the confirmation. Its origin must be on the allow list.',
  example: string | null = 'https://yourapp.com/verified',
) {
  return applyDecorators(
    ApiPropertyOptional({ type: String, nullable: true, description, ...(example && { example }) }),
    Expose(),
    IsOptional(),
    IsString({ message: 'redirect_to must be a string' }),
  );
}

const maxCaptchaTokenLength = 4_096;

export function CaptchaTokenField() {
  return applyDecorators(
    ApiPropertyOptional({
      type: String,
      nullable: true,
      maxLength: maxCaptchaTokenLength,
      description:
        'The token of a captcha: required after `captcha_failed`, good once. Also taken from ' +
        '`gotrue_meta_security.captcha_token`.',
    }),
    Expose(),
    IsOptional(),
    MaxLength(maxCaptchaTokenLength, {
      message: `captcha_token must be a string of at most ${maxCaptchaTokenLength} characters`,
    }),
  );
}

/** A body with one address: an email, or a phone, not both. */
export abstract class AddressDto {
  @ApiPropertyOptional({ type: String, nullable: true, maxLength: 254, example: 'user@example.com' })
  @EmailField<AddressDto>({
    usedWhen: ({ email, phone }) => email !== undefined || phone === undefined,
    missing: 'Email or phone number is required',
  })
  email?: string;

  @ApiPropertyOptional({ type: String, nullable: true, description: 'E.164. Instead of the email.' })
  @PhoneField<AddressDto>({
    usedWhen: ({ phone }) => phone !== undefined,
    missing: 'Email or phone number is required',
  })
  @ValidateBy(
    { name: 'isOnlyAddress', validator: { validate: standsAlone } },
    { message: 'Send email or phone, not both' },
  )
  phone?: string;

  get channel(): Channel {
    return this.email === undefined ? 'sms' : 'email';
  }

  /** The address in its normal form: what limits count and messages go to. */
  get identifier(): string {
    return this.email ?? this.phone ?? '';
  }
}

function standsAlone(_phone: unknown, args?: ValidationArguments): boolean {
  return (args?.object as AddressDto | undefined)?.email === undefined;
}

/** A body with one address that is to be confirmed: an email, or a phone, not both. */
export abstract class ConfirmAddressDto extends AddressDto {
  @RedirectToField()
  redirect_to?: string;
}
