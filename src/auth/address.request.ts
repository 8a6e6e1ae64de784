import { ApiPropertyOptional } from '@nestjs/swagger';
import { ValidateBy, type ValidationArguments } from 'class-validator';
import { EmailField, PhoneField } from './address.fields.js';
import type { Channel } from './confirmation-type.js';

/** A request about one address: an email, or a phone, not both. */
export abstract class AddressRequest {
  @ApiPropertyOptional({ type: String, nullable: true, maxLength: 254, example: 'user@example.com' })
  @EmailField<AddressRequest>({
    usedWhen: ({ email, phone }) => email !== undefined || phone === undefined,
    missing: 'Email or phone number is required',
  })
  email?: string;

  @ApiPropertyOptional({ type: String, nullable: true, description: 'E.164. Instead of the email.' })
  @PhoneField<AddressRequest>({
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
  return (args?.object as AddressRequest | undefined)?.email === undefined;
}
