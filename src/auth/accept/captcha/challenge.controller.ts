import { Controller, Get, Header, UseGuards } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiError } from '../../../api-error.js';
import { ApiErrors, limitErrors } from '../../../api-errors.decorator.js';
import { Config } from '../../../config.js';
import { limitHeaders } from '../../../headers.openapi.js';
import { IpThrottlerGuard } from '../ip-throttler.guard.js';
import { AltchaVerifier } from './altcha.verifier.js';
import { ChallengeResponse, exampleChallenge } from './challenge.response.js';

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
  @UseGuards(IpThrottlerGuard)
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
    { no_altcha: ['not_found', 'This service does not accept ALTCHA'], over_request_rate_limit },
    limitHeaders,
  )
  issue(): Promise<ChallengeResponse> {
    if (!this.config.captcha.altcha) throw new ApiError('not_found', 'This service does not accept ALTCHA');
    return this.altcha.issue();
  }
}
