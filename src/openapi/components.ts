import { ApiProperty, ApiPropertyOptional, type OpenAPIObject } from '@nestjs/swagger';
import { type ErrorCode, errorCodes } from '../http/api-error.js';

type Components = NonNullable<OpenAPIObject['components']>;
export type Headers = NonNullable<Components['headers']>;

const limitItem = (parameters: string) => `"(ip|backend|email|sms)(-captcha)?";${parameters}`;
const listOf = (item: string) => `^${item}(, ${item})*$`;

/** Every header that an answer is documented to have, once; routes refer to them. */
export const headerComponents = {
  'X-Request-Id': {
    required: true,
    description: 'Names this request in the log.',
    schema: { type: 'string', format: 'uuid' },
  },
  'X-RateLimit-Limit': {
    required: true,
    description: 'How many requests the limit with the fewest left admits in its window.',
    schema: { type: 'integer', minimum: 1 },
    example: 3,
  },
  'X-RateLimit-Remaining': {
    required: true,
    description: 'How many that limit admits now.',
    schema: { type: 'integer', minimum: 0 },
    example: 2,
  },
  'X-RateLimit-Reset': {
    required: true,
    description: 'Seconds until a slot of that limit is free.',
    schema: { type: 'integer', minimum: 0 },
    example: 300,
  },
  'RateLimit-Policy': {
    required: true,
    description: 'Every limit that was checked: its quota `q` in a window of `w` seconds (IETF draft).',
    schema: { type: 'string', pattern: listOf(limitItem('q=\\d+;w=\\d+')) },
    example: '"ip";q=10;w=600, "email";q=3;w=300',
  },
  RateLimit: {
    required: true,
    description: 'For each of them what remains, `r`, and the seconds `t` until a slot is free (IETF draft).',
    schema: { type: 'string', pattern: listOf(limitItem('r=\\d+;t=\\d+')) },
    example: '"ip";r=9;t=600, "email";r=2;t=300',
  },
  'Retry-After': {
    required: true,
    description: 'Seconds to wait; never earlier than a request would be admitted.',
    schema: { type: 'integer', minimum: 1 },
    example: 213,
  },
  'Idempotency-Replayed': {
    required: false,
    description:
      'Only on the answer to a repeated `Idempotency-Key`: the first request was accepted, this one did nothing.',
    schema: { type: 'string', enum: ['true'] },
    example: 'true',
  },
  'WWW-Authenticate': {
    required: true,
    description: 'How to authenticate (RFC 6750).',
    schema: { type: 'string', pattern: '^(Bearer|Backend-Key)' },
    example: 'Bearer error="invalid_token"',
  },
  Location: {
    required: true,
    description:
      'Where the person goes, with the outcome in the fragment: `access_token`, `token_type`, `expires_in`, ' +
      '`expires_at` and `type`, or `error`, `error_code` and `error_description`.',
    schema: { type: 'string', format: 'uri' },
    example:
      'https://yourapp.com/verified#error=access_denied&error_code=otp_expired&error_description=Token+has+expired+or+is+invalid',
  },
  ETag: {
    required: true,
    description: 'For `If-None-Match`.',
    schema: { type: 'string', pattern: '^".*"$' },
    example: '"0198c100-0000-7000-8000-000000000001"',
  },
} as const satisfies Headers;

type HeaderName = keyof typeof headerComponents;

/** The headers as a response names them. */
export function refToHeader(...names: HeaderName[]): Headers {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

/** What every answer of a limited route says, whatever it is. */
export const limitHeaders = refToHeader(
  'X-RateLimit-Limit',
  'X-RateLimit-Remaining',
  'X-RateLimit-Reset',
  'RateLimit-Policy',
  'RateLimit',
);

/** What the OpenAPI document calls the way in for operators. */
export const serviceKeyScheme = 'service-key';

/** The shape of every error. */
export class ErrorResponse {
  @ApiProperty({ type: 'integer', description: 'The HTTP status.', example: 400 })
  code: number;

  @ApiProperty({ enum: errorCodes, enumName: 'ErrorCode', description: 'For programs: a closed list.' })
  error_code: ErrorCode;

  @ApiProperty({ description: 'What happened, as a short constant.', example: 'Missing required field' })
  msg: string;

  @ApiProperty({ description: 'What to do.', example: 'Type is required' })
  details: string;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    description: 'With 429 and 503: the seconds of `Retry-After`, which proxies may lose.',
    example: 213,
  })
  retry_after?: number;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    maximum: 4,
    description: 'Beside a wrong code that named its `message_id`: how many more may be tried with it.',
  })
  attempts_left?: number;
}

/** The same with the members of RFC 9457, for clients that send `Accept: application/problem+json`. */
export class ProblemResponse extends ErrorResponse {
  @ApiProperty({
    pattern: '^urn:strike-auth:error:[a-z_]+$',
    description: 'Names the `error_code`.',
    example: 'urn:strike-auth:error:validation_failed',
  })
  type: string;

  @ApiProperty({ description: "The status in HTTP's words.", example: 'Bad Request' })
  title: string;

  @ApiProperty({ type: 'integer', description: 'The same as `code`.', example: 400 })
  status: number;

  @ApiProperty({ description: 'The same as `details`.', example: 'Type is required' })
  detail: string;
}
