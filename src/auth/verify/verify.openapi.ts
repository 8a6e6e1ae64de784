import { applyDecorators } from '@nestjs/common';
import {
  ApiBody,
  ApiConsumes,
  ApiExtraModels,
  ApiOkResponse,
  ApiOperation,
  ApiQuery,
  ApiResponse,
  getSchemaPath,
} from '@nestjs/swagger';
import { ApiErrors, bodyErrors, unavailableError } from '../../openapi/api-errors.decorator.js';
import { refToHeader } from '../../openapi/components.js';
import { confirmationTypes } from '../messages/confirmation-type.js';
import { exampleUser } from '../users/user.response.js';
import { VerifyDto, VerifyResponse } from './verify.dto.js';

const page = { 'text/html': { schema: { type: 'string', pattern: '^<!doctype html>' } } };

/** What the public documentation of `GET /verify` says. */
export function ApiOpenLink() {
  return applyDecorators(
    ApiOperation({
      operationId: 'openLink',
      summary: 'Where the link of a mail leads',
      description:
        'A page with one button, which posts to `/verify`. Opening it consumes nothing: mail scanners open links. ' +
        'Of a link that was used it says that it has done its work; of any other it says what to do now. ' +
        'The page is in the language that `Accept-Language` asks for, as far as there is one.\n\n' +
        'With `VERIFY_ON_GET=true` it answers 303 at once instead, as the button does.',
    }),
    ApiQuery({
      name: 'token',
      required: false,
      schema: { type: 'string', maxLength: 256 },
      description: 'From the link.',
    }),
    ApiQuery({
      name: 'token_hash',
      required: false,
      schema: { type: 'string', maxLength: 256 },
      description: 'The same under the name that Supabase clients use.',
    }),
    ApiQuery({
      name: 'type',
      schema: { type: 'string', enum: confirmationTypes.filter((type) => type !== 'sms') },
    }),
    ApiQuery({
      name: 'redirect_to',
      required: false,
      schema: { type: 'string', maxLength: 2_048 },
      description: 'Replaced by the site URL when it is not on the allow list.',
    }),
    ApiOkResponse({ description: 'The page.', content: page }),
    ApiResponse({
      status: 303,
      description: 'With `VERIFY_ON_GET=true`: on to the site, with the outcome.',
      headers: refToHeader('Location'),
    }),
    ApiErrors(unavailableError, {}, page),
    ApiResponse({
      status: 400,
      description: 'A page that says that the link is incomplete, and what to do.',
      content: page,
    }),
  );
}

/** What the public documentation of `POST /verify` says. */
export function ApiVerify() {
  return applyDecorators(
    ApiOperation({
      operationId: 'verify',
      summary: 'Verify a code or the token of a link',
      description:
        'A code comes with the address that it was sent to; the token of a link stands alone, as `token` or as ' +
        '`token_hash`. The first use consumes all codes and links of the same purpose.\n\n' +
        'Wrong codes are counted, for known and unknown addresses alike. A guess that names the `message_id` with which the ' +
        'request for the code was answered has 5 for that id, and the 403 tells `attempts_left`; 5 more for each id has the client that ' +
        'asked for it. All others share 5 in 10 minutes for an address and type (`LIMIT_VERIFY`), and a client has 30 over ' +
        'all addresses: beyond that the answer is 429 `over_verify_limit`. A new message resets none of it. After 30 guesses ' +
        'without a success those that belong to no message are compared no more; after 100 new mails bring their link ' +
        'alone, and SMS a code of 8 digits.\n\n' +
        'A form post, as from the page, is answered with 303 and the outcome in the fragment of `redirect_to`; any other ' +
        'error with a page, when the client asks for `text/html`. A form is taken from a page of this service only, by ' +
        '`Sec-Fetch-Site`, else `Origin` or `Referer`; to one of another site the answer is the page with the button.',
    }),
    ApiConsumes('application/json', 'application/x-www-form-urlencoded'),
    ApiBody({ type: VerifyDto, examples: requestExamples }),
    ApiExtraModels(VerifyResponse),
    ApiOkResponse({
      description:
        'Confirmed, and signed in; to a form of another site the page with the button, and nothing has happened.',
      content: {
        'application/json': { schema: { $ref: getSchemaPath(VerifyResponse) }, example: confirmed },
        ...page,
      },
    }),
    ApiResponse({
      status: 303,
      description: 'The answer to a form post.',
      headers: refToHeader('Location'),
    }),
    ApiErrors(verifyErrors, {}, page),
  );
}

const verifyErrors = {
  missing_type: ['validation_failed', 'Type is required', 'Missing required field'],
  missing_token: ['validation_failed', 'Token is required', 'Missing required field'],
  missing_email: ['validation_failed', 'Email is required to verify a code', 'Missing required field'],
  missing_phone: ['validation_failed', 'Phone number is required to verify a code', 'Missing required field'],
  invalid_field: ['validation_failed', 'token must be a string of 1 to 256 characters'],
  ...bodyErrors,
  otp_expired: ['otp_expired', 'Ask for a new message and use the link or the code in it'],
  too_many_wrong_codes: ['over_verify_limit', 'Try again in 213 seconds'],
  ...unavailableError,
} as const;

const confirmed = {
  access_token: 'eyJhbGciOiJFUzI1NiJ9.e30.c2ln',
  token_type: 'bearer',
  expires_in: 3600,
  expires_at: 1769864400,
  user: { ...exampleUser, email_confirmed_at: '2026-01-31T12:00:00.000Z' },
};

const requestExamples = {
  email_code: {
    summary: 'Code from a mail',
    value: { type: 'signup', email: 'user@example.com', token: '123456' },
  },
  sms_code: { summary: 'Code from an SMS', value: { type: 'sms', phone: '+1234567890', token: '123456' } },
  link_token: {
    summary: 'Token of a link',
    value: { type: 'signup', token: 'q1w2e3r4t5y6u7i8o9p0q1w2e3r4t5y6u7i8o9p0q1w' },
  },
  token_hash: {
    summary: 'Token of a link, as Supabase clients send it',
    value: { type: 'recovery', token_hash: 'q1w2e3r4t5y6u7i8o9p0q1w2e3r4t5y6u7i8o9p0q1w' },
  },
};
