import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Expose } from 'class-transformer';
import {
  IsDefined,
  IsOptional,
  Length,
  ValidateBy,
  ValidateIf,
  type ValidationArguments,
} from 'class-validator';
import { Injectable } from '@nestjs/common';
import { channelOf, EmailField, PhoneField, RedirectToField, TypeField } from '../requests/address.dto.js';
import { type Channel, type ConfirmationType, confirmationTypes } from '../messages/confirmation-type.js';
import { bodyGuard } from '../../http/body.guard.js';
import { uuidOf } from '../../platform/ids.js';
import { UserResponse } from '../users/user.response.js';
import { digitsIn, isCode, isLinkToken, isMeantAsCode } from './typed-code.js';

const maxTokenLength = 256;
const tokenLength = `$property must be a string of 1 to ${maxTokenLength} characters`;

/**
 * A code together with the address that it was asked for, or the token of a link alone.
 *
 * Clients of the Supabase Auth family send what stands in the link as `token_hash`. It is no hash to us either way:
 * the link's token itself is taken under both names.
 */
export class VerifyDto {
  @TypeField({ example: 'signup' })
  type: ConfirmationType;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    maxLength: maxTokenLength,
    description:
      'The 6-digit code, or the token of the link. Of a code everything but its digits is ignored, and digits of every ' +
      'script are taken; what has no six then is 400, and no guess.',
    example: '123456',
  })
  @Expose()
  @ValidateIf((request: VerifyDto) => request.token_hash === undefined)
  @IsDefined({ message: 'Token is required', context: { missing: true } })
  @ValidateBy(
    { name: 'isCodeOrLinkToken', validator: { validate: isCodeOrLinkToken } },
    { message: 'token must have the six digits of a code, or be the token of a link' },
  )
  @Length(1, maxTokenLength, { message: tokenLength })
  token?: string;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    maxLength: maxTokenLength,
    description: 'The token of the link, under the name that Supabase clients use.',
  })
  @Expose()
  @IsOptional()
  @Length(1, maxTokenLength, { message: tokenLength })
  token_hash?: string;

  @ApiPropertyOptional({ type: String, nullable: true, maxLength: 254, example: 'user@example.com' })
  @EmailField<VerifyDto>({
    usedWhen: (request) => request.channel === 'email' && request.needsAddress(request.email),
    missing: 'Email is required to verify a code',
  })
  email?: string;

  @ApiPropertyOptional({ type: String, nullable: true, description: 'E.164' })
  @PhoneField<VerifyDto>({
    usedWhen: (request) => request.channel === 'sms' && request.needsAddress(request.phone),
    missing: 'Phone number is required to verify a code',
  })
  phone?: string;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    description:
      'Beside a code: what the request for it was answered with. Such a guess has a count of its own, which no stranger can ' +
      'use up. One that was not answered for this address and type is as none.',
    example: 'msg_0198c0ffee7b7c1e9d1f2a3b4c5d6e7f',
  })
  @Expose()
  message_id?: unknown;

  @RedirectToField(
    'Where a form post is sent on to. Replaced by the site URL when it is not on the allow list.',
    null,
  )
  redirect_to?: string;

  get channel(): Channel {
    return channelOf(this);
  }

  /** The address beside a code, in its normal form; undefined when the token is a link's. */
  get identifier(): string | undefined {
    if (this.token_hash !== undefined || isLinkToken(this.link)) return undefined;
    return this.channel === 'sms' ? this.phone : this.email;
  }

  get messageUuid(): string | null {
    return uuidOf(this.message_id);
  }

  /** The digits of the code, however they were typed. */
  get code(): string {
    return digitsIn(this.link);
  }

  get link(): string {
    return this.token_hash ?? this.token ?? '';
  }

  /** An address that is given counts; one that is absent is missed only beside a code. */
  needsAddress(given: string | undefined): boolean {
    const { token } = this;
    // Beside a `token_hash` it was not validated.
    if (this.token_hash !== undefined || typeof token !== 'string') return false;
    return given !== undefined || this.type === 'sms' || isMeantAsCode(token);
  }
}

/** Beside an address; what stands alone is a link's, whatever its form. A malformed address is blamed first. */
function isCodeOrLinkToken(token: unknown, args?: ValidationArguments): boolean {
  const { channel, email, phone } = args?.object as VerifyDto;
  const stands = !(channel === 'sms' ? phone : email);
  return typeof token !== 'string' || stands || isLinkToken(token) || isCode(digitsIn(token), channel);
}

@Injectable()
export class VerifyBodyGuard extends bodyGuard(VerifyDto, { acceptForm: true }) {}

/** The types that come with a link. */
export type LinkType = Exclude<ConfirmationType, 'sms'>;

/** What stands in the link of a mail. */
export interface VerifyLink {
  readonly token: string;
  readonly type: LinkType;
  readonly redirectTo: string | undefined;
}

/** Longer ones are on no allow list. */
const maxRedirectLength = 2_048;

/**
 * The parts of a link, from the query string; null when one is missing, doubled or too long, as in links that a mail
 * program has cut or mangled. `token_hash` is the other name of `token`.
 */
export function parseVerifyLink(query: Record<string, unknown>): VerifyLink | null {
  const token = query['token'] ?? query['token_hash'];
  const type = query['type'];
  const redirectTo = query['redirect_to'];
  if (typeof token !== 'string' || token === '' || token.length > maxTokenLength) return null;
  if (!isLinkType(type)) return null;
  if (redirectTo === undefined) return { token, type, redirectTo };
  if (typeof redirectTo !== 'string' || redirectTo.length > maxRedirectLength) return null;
  return { token, type, redirectTo };
}

function isLinkType(type: unknown): type is LinkType {
  return type !== 'sms' && (confirmationTypes as readonly unknown[]).includes(type);
}

/** What a verified person gets (RFC 6749, section 5.1, and the user). */
export class VerifyResponse {
  @ApiProperty({
    description: 'JWT, ES256; its public key is at /.well-known/jwks.json.',
    pattern: '^[\\w-]+\\.[\\w-]+\\.[\\w-]+$',
    example: 'eyJhbGciOiJFUzI1NiJ9.e30.c2ln',
  })
  access_token: string;

  @ApiProperty({ enum: ['bearer'], example: 'bearer' })
  token_type: 'bearer';

  @ApiProperty({ type: 'integer', minimum: 1, description: 'Seconds.', example: 3600 })
  expires_in: number;

  @ApiProperty({ type: 'integer', description: 'Seconds since the Unix epoch.', example: 1769864400 })
  expires_at: number;

  @ApiProperty({ type: UserResponse })
  user: UserResponse;
}
