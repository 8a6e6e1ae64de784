import {
  IsDefined,
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
import { normaliseEmail, normalisePhone } from './normal-form.js';

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
