import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Expose, Transform } from 'class-transformer';
import { IsDefined, IsOptional, ValidateBy } from 'class-validator';
import { Injectable } from '@nestjs/common';
import { Nested } from '../../http/body.guard.js';
import { CaptchaTokenField, ConfirmAddressDto } from '../requests/address.dto.js';
import { messageBodyGuard, withCaptchaToken } from '../requests/accept-context.js';

/** Code points. The upper end only keeps the work of normalising within bounds. */
const minLength = 8;
const maxLength = 256;

const passwordRule = `must be ${minLength} to ${maxLength} characters`;

/**
 * Length is the only rule, counted in Unicode code points (NIST SP 800-63B, on passwords: no rules of composition,
 * spaces and any character allowed). Lone surrogates are no characters: all of them would be hashed alike.
 */
export function isPassword(value: unknown): boolean {
  // Before counting: a code point is at most two of the units that `length` counts.
  if (typeof value !== 'string' || value.length > 2 * maxLength || !value.isWellFormed()) return false;
  const { length } = [...value];
  return length >= minLength && length <= maxLength;
}

/** Characters of the JSON text. */
const maxMetadataLength = 8_192;

const userMetadataRule = `must be a JSON object of at most ${maxMetadataLength} characters, without NUL characters or lone surrogates`;

/** What can be kept as `jsonb` and given back unchanged. How deep it may nest is checked where the body is parsed. */
function isUserMetadata(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return JSON.stringify(value).length <= maxMetadataLength && isStorable(value);
}

function isStorable(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed() && !value.includes('\0');
  // JSON has no such number, but a reader makes it of 1e999.
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([name, inner]) => isStorable(name) && isStorable(inner));
}

export class SignUpDto extends ConfirmAddressDto {
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

  @CaptchaTokenField()
  captcha_token?: string;
}

/** With a bucket of its own: otherwise a `/resend` would show that somebody has just signed up with the address. */
@Injectable()
export class SignUpBodyGuard extends messageBodyGuard(
  SignUpDto,
  ({ identifier }) => ({ kind: 'new sign-up', who: identifier }),
  { read: withCaptchaToken },
) {}
