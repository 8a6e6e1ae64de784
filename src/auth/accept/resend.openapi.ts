import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { ApiErrors, captchaErrors, messageErrors } from '../../openapi/api-errors.decorator.js';
import { limitHeaders, refToHeader } from '../../openapi/components.js';
import { ApiRedirectQuery, redirectNotAllowed } from '../requests/redirect-allow-list.js';
import { ApiIdempotencyKey, idempotencyErrors } from './idempotency/idempotency.openapi.js';
import { ResendDto, ResendResponse } from './resend.dto.js';

const missing = 'Missing required field';

/** What the public documentation of `POST /resend` says. */
export function ApiResend() {
  return applyDecorators(
    ApiOperation({
      operationId: 'resend',
      summary: 'Send a confirmation again',
      description:
        'For people who have not received their confirmation, or have lost it. No authentication: anybody may ask ' +
        'for any address.\n\n' +
        'The answer is always the same, whether the address belongs to somebody or not, is confirmed or not. 200 ' +
        'means that the request is stored safely; a message follows when there is somebody to send it to.\n\n' +
        'Earlier links and codes stay valid until the first of them is used. Fields that the type does not use are ' +
        'ignored, and so are unknown ones; `null` is the same as absent.',
    }),
    ApiRedirectQuery(),
    ApiIdempotencyKey(),
    ApiBody({ type: ResendDto, examples: requestExamples }),
    ApiOkResponse({
      type: ResendResponse,
      description: 'Accepted, whoever it is for.',
      headers: { ...limitHeaders, ...refToHeader('Idempotency-Replayed') },
      example: { message_id: 'msg_0198c0ffee7b7c1e9d1f2a3b4c5d6e7f' },
    }),
    ApiErrors(
      {
        missing_type: ['validation_failed', 'Type is required', missing],
        missing_email: ['validation_failed', 'Email is required for email confirmations', missing],
        missing_phone: ['validation_failed', 'Phone number is required for SMS confirmations', missing],
        invalid_field: ['validation_failed', 'email must be a valid email address of at most 254 characters'],
        redirect_not_allowed: ['validation_failed', redirectNotAllowed],
        ...messageErrors,
        ...idempotencyErrors,
        ...captchaErrors,
      },
      limitHeaders,
    ),
  );
}

/** Those with a `redirect_to` need its origin in `REDIRECT_ALLOW_LIST`; the first works anywhere. */
const requestExamples = {
  signup: { summary: 'Sign-up by email', value: { type: 'signup', email: 'user@example.com' } },
  signup_and_redirect: {
    summary: 'Sign-up by email, with a page to go on to',
    value: { type: 'signup', email: 'user@example.com', redirect_to: 'https://yourapp.com/verified' },
  },
  signup_by_phone: {
    summary: 'Sign-up by phone',
    value: { type: 'signup', phone: '+1234567890' },
  },
  sms: { summary: 'Code by SMS', value: { type: 'sms', phone: '+1234567890' } },
  recovery: {
    summary: 'Password recovery',
    value: { type: 'recovery', email: 'user@example.com', redirect_to: 'https://yourapp.com/reset-password' },
  },
  magiclink: {
    summary: 'Magic link',
    value: { type: 'magiclink', email: 'user@example.com', redirect_to: 'https://yourapp.com/dashboard' },
  },
  email_change: {
    summary: 'Change of the email address',
    value: { type: 'email_change', email: 'newemail@example.com' },
  },
};
