import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Injectable } from '@nestjs/common';
import {
  CaptchaTokenField,
  channelOf,
  EmailField,
  PhoneField,
  RedirectToField,
  TypeField,
} from '../requests/address.dto.js';
import { type Channel, type ConfirmationType, confirmationTypes } from '../messages/confirmation-type.js';
import { messageBodyGuard, withCaptchaToken } from '../requests/accept-context.js';

export class ResendDto {
  @TypeField({ description: 'Which confirmation to send again.' })
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

  @RedirectToField()
  redirect_to?: string;

  @CaptchaTokenField()
  captcha_token?: string;

  get channel(): Channel {
    return channelOf(this);
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
export class ResendBodyGuard extends messageBodyGuard(
  ResendDto,
  ({ type, identifier }) => ({ kind: type, who: identifier }),
  { read: withCaptchaToken },
) {}
