import { ApiPropertyOptional } from '@nestjs/swagger';
import { Expose } from 'class-transformer';
import { IsOptional, IsString, ValidateBy, type ValidationArguments } from 'class-validator';
import { EmailField, PhoneField } from '../address.fields.js';
import type { Channel } from '../confirmation-type.js';

/** A request about one address that is to be confirmed: an email, or a phone, not both. */
export abstract class OneAddressRequest {
  @ApiPropertyOptional({ type: String, nullable: true, maxLength: 254, example: 'user@example.com' })
  @EmailField<OneAddressRequest>({
    usedWhen: ({ email, phone }) => email !== undefined || phone === undefined,
    missing: 'Email or phone number is required',
  })
  email?: string;

  @ApiPropertyOptional({ type: String, nullable: true, description: 'E.164. Instead of the email.' })
  @PhoneField<OneAddressRequest>({
    usedWhen: ({ phone }) => phone !== undefined,
    missing: 'Email or phone number is required',
  })
  @ValidateBy(
    { name: 'isOnlyAddress', validator: { validate: standsAlone } },
    { message: 'Send email or phone, not both' },
  )
  phone?: string;

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

  get channel(): Channel {
    return this.email === undefined ? 'sms' : 'email';
  }

  /** The address in its normal form: what limits count and messages go to. */
  get identifier(): string {
    return this.email ?? this.phone ?? '';
  }
}

function standsAlone(_phone: unknown, args?: ValidationArguments): boolean {
  return (args?.object as OneAddressRequest | undefined)?.email === undefined;
}
