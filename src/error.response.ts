import { ApiProperty } from '@nestjs/swagger';
import { type ErrorCode, errorCodes } from './api-error.js';

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
