import { ApiOkResponse, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import { Controller, Get, Header, UseGuards } from '@nestjs/common';
import { ApiError } from '../../http/api-error.js';
import { ApiErrors, backendErrors, limitErrors } from '../../openapi/api-errors.decorator.js';
import { Config } from '../../config/config.js';
import { limitHeaders } from '../../openapi/components.js';
import { ChallengeThrottlerGuard } from './throttler.guards.js';
import { AltchaVerifier } from './captcha/altcha.verifier.js';

class ChallengeParameters {
  @ApiProperty({ enum: ['PBKDF2/SHA-256'] })
  algorithm: string;

  @ApiProperty({ type: 'integer', minimum: 1, description: 'Iterations of one derivation.' })
  cost: number;

  @ApiProperty({
    type: 'integer',
    description: 'When it is no longer taken, in seconds since the Unix epoch.',
  })
  expiresAt?: number;

  @ApiProperty({ type: 'integer', description: 'Bytes of the derived key.' })
  keyLength: number;

  @ApiProperty({
    pattern: '^[0-9a-f]+$',
    description: 'What the derived key must begin with, in hexadecimal.',
  })
  keyPrefix: string;

  @ApiProperty({ pattern: '^[0-9a-f]{32}$' })
  nonce: string;

  @ApiProperty({ pattern: '^[0-9a-f]{32}$' })
  salt: string;
}

export class ChallengeResponse {
  @ApiProperty({ type: ChallengeParameters })
  parameters: ChallengeParameters;

  @ApiProperty({
    pattern: '^[0-9a-f]{64}$',
  })
  signature?: string;
}

const exampleChallenge = {
  parameters: {
    algorithm: 'PBKDF2/SHA-256',
    cost: 5_000,
    expiresAt: 1_767_323_045,
    keyLength: 32,
    keyPrefix: '00',
    nonce: '5d3f0c8a9b7e41d2a6c4f1e0b9d87a63',
    salt: 'c1a7e5d9034b4f6f8e2a71b0d6c3958f',
  },
  signature: '9f0d2c4be0a1536f7d8c9eab41207f53861ec5ba7d0493f2a8e6b17c3d5f9042',
};

const { over_request_rate_limit } = limitErrors;

@ApiTags('Confirmations')
@Controller('captcha')
export class ChallengeController {
  constructor(
    private readonly altcha: AltchaVerifier,
    private readonly config: Config,
  ) {}

  @Get('challenge')
  @Header('Cache-Control', 'no-store')
  @UseGuards(ChallengeThrottlerGuard)
  @ApiOperation({
    operationId: 'issueChallenge',
    summary: 'A proof of work to do instead of a puzzle',
    description:
      'For the `challenge` attribute of an ALTCHA widget (version 3). What the widget makes of it is sent as ' +
      '`captcha_token`, and is good once. Only where the operator accepts ALTCHA.',
  })
  @ApiOkResponse({
    type: ChallengeResponse,
    description: 'A new challenge.',
    headers: limitHeaders,
    example: exampleChallenge,
  })
  @ApiErrors(
    {
      ...backendErrors,
      no_altcha: ['not_found', 'This service does not accept ALTCHA'],
      over_request_rate_limit,
    },
    limitHeaders,
  )
  issue(): Promise<ChallengeResponse> {
    if (!this.config.captcha.altcha) throw new ApiError('not_found', 'This service does not accept ALTCHA');
    return this.altcha.issue();
  }
}
