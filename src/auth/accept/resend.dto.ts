import { Expose } from 'class-transformer';
import { IsDefined, IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Injectable } from '@nestjs/common';
import { EmailField, PhoneField } from '../requests/address.dto.js';
import { type Channel, type ConfirmationType, confirmationTypes } from '../messages/confirmation-type.js';
import { messageBodyGuard, withCaptchaToken } from '../requests/accept-context.js';

const maxCaptchaTokenLength = 4_096;

export class ResendDto {
  @ApiProperty({ enum: confirmationTypes, description: 'Which confirmation to send again.' })
  @Expose()
  @IsDefined({ message: 'Type is required', context: { missing: true } })
  @IsIn(confirmationTypes, { message: `type must be one of ${confirmationTypes.join(', ')}` })
  type: ConfirmationType;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    maxLength: 254,
    description: 'Required for the email types. `signup` may name a phone instead.',
    example: 'user@example.com',
  })
  @EmailField<ResendDto>({
    usedWhen: (request) => isKnown(request.type) && request.channel === 'email',
    missing: 'Email is required for email confirmations',
  })
  email?: string;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    description: 'E.164. Required for `sms`, and for `signup` without an email.',
    example: '+1234567890',
  })
  @PhoneField<ResendDto>({
    usedWhen: (request) => isKnown(request.type) && request.channel === 'sms',
    missing: 'Phone number is required for SMS confirmations',
  })
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

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    maxLength: maxCaptchaTokenLength,
    description:
      'The token of a captcha: required after `captcha_failed`, good once. Also taken from ' +
      '`gotrue_meta_security.captcha_token`.',
  })
  @Expose()
  @IsOptional()
  @IsString({ message: 'captcha_token must be a string' })
  @MaxLength(maxCaptchaTokenLength, {
    message: `captcha_token must be at most ${maxCaptchaTokenLength} characters`,
  })
  captcha_token?: string;

  /** `signup` goes to the email when there is one, else to the phone; every other type has one channel. */
  get channel(): Channel {
    if (this.type === 'sms') return 'sms';
    return this.type === 'signup' && this.email === undefined && this.phone !== undefined ? 'sms' : 'email';
  }

  /** The address in its normal form: what limits count and messages go to. */
  get identifier(): string {
    return (this.channel === 'sms' ? this.phone : this.email) ?? '';
  }
}

function isKnown(type: string): boolean {
  return (confirmationTypes as readonly string[]).includes(type);
}

/** The same for every identifier, known or not. */
export class ResendResponse {
  @ApiProperty({
    pattern: '^msg_[0-9a-f]{32}$',
    description: 'Names the message, for questions to support; nothing about the address follows from it.',
    example: 'msg_0198c0ffee7b7c1e9d1f2a3b4c5d6e7f',
  })
  message_id: string;
}

/** Reads the request, in either dialect, and settles where its link may lead. */
@Injectable()
export class ResendBodyGuard extends messageBodyGuard(ResendDto, { read: withCaptchaToken }) {}
