import { ApiPropertyOptional } from '@nestjs/swagger';
import { Expose } from 'class-transformer';
import { IsOptional, IsString } from 'class-validator';
import { AddressRequest } from '../address.request.js';

/** A request about one address that is to be confirmed: an email, or a phone, not both. */
export abstract class OneAddressRequest extends AddressRequest {
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
