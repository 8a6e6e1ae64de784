import { applyDecorators } from '@nestjs/common';
import { Expose, Transform, type TransformFnParams } from 'class-transformer';
import {
  IsDefined,
  IsOptional,
  IsString,
  ValidateBy,
  ValidateIf,
  type ValidationArguments,
} from 'class-validator';
import { ApiPropertyOptional } from '@nestjs/swagger';
import type { Channel } from '../messages/confirmation-type.js';
import { normaliseEmail, normalisePhone } from './address.js';

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
  @ApiPropertyOptional({
    type: String,
    nullable: true,
    description: 'Where the person goes after the confirmation. Its origin must be on the allow list.',
    example: 'https://yourapp.com/verified',
  })
  @Expose()
  @IsOptional()
  @IsString({ message: 'redirect_to must be a string' })
  redirect_to?: string;

  /** The redirect that passed the allow list; null for the default. Set by the body guard. */
  redirectTo: string | null;
}
