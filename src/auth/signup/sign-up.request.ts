import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Expose, Transform } from 'class-transformer';
import { IsDefined, IsOptional, MaxLength, ValidateBy } from 'class-validator';
import { Nested } from '../../request-body/body.guard.js';
import { OneAddressRequest } from './one-address.request.js';
import { isPassword, passwordRule } from './password.js';
import { isUserMetadata, userMetadataRule } from './user-metadata.js';

export class SignUpRequest extends OneAddressRequest {
  @ApiProperty({
    minLength: 8,
    maxLength: 256,
    description:
      'Counted in characters (Unicode code points); every one of them counts, and may be anything.',
    example: 'correct horse battery staple',
  })
  @Expose()
  @IsDefined({ message: 'Password is required', context: { missing: true } })
  @ValidateBy(
    { name: 'isPassword', validator: { validate: isPassword } },
    { message: `password ${passwordRule}` },
  )
  password: string;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    description: 'Kept with the user as `user_metadata`.',
    example: { name: 'Ada' },
  })
  @Expose()
  @Transform(({ obj }: { obj: { data?: unknown } }) =>
    obj.data instanceof Nested ? obj.data.value : obj.data,
  )
  @IsOptional()
  @ValidateBy(
    { name: 'isUserMetadata', validator: { validate: isUserMetadata } },
    { message: `data ${userMetadataRule}` },
  )
  data?: Record<string, unknown>;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    maxLength: 4_096,
    description:
      'The token of a captcha: required after `captcha_failed`, good once. Also taken from ' +
      '`gotrue_meta_security.captcha_token`.',
  })
  @Expose()
  @IsOptional()
  @MaxLength(4_096, { message: 'captcha_token must be a string of at most 4096 characters' })
  captcha_token?: string;
}
