import { Body, Controller, Header, Put, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiErrors, messageErrors } from '../../openapi/api-errors.decorator.js';
import { limitHeaders } from '../../openapi/components.js';
import { IdentifierThrottlerGuard, IpThrottlerGuard } from '../accept/throttler.guards.js';
import { AcceptContext, Accepted } from '../requests/accept-context.js';
import { ApiRedirectQuery, redirectNotAllowed } from '../requests/redirect-allow-list.js';
import { BearerGuard, BearerId } from '../tokens/bearer.guard.js';
import { exampleUser, UserResponse } from '../users/user.response.js';
import { ChangeAddressBodyGuard, ChangeAddressDto } from './change-address.dto.js';
import { ChangeAddressService } from './change-address.service.js';

@ApiTags('Users')
@Controller()
export class ChangeAddressController {
  constructor(private readonly service: ChangeAddressService) {}

  @Put('user')
  @Header('Cache-Control', 'no-store')
  @UseGuards(IpThrottlerGuard, BearerGuard, ChangeAddressBodyGuard, IdentifierThrottlerGuard)
  @ApiBearerAuth()
  @ApiOperation({
    operationId: 'changeAddress',
    summary: 'Ask for another email or phone',
    description:
      'It stands beside the old one as `new_email` or `new_phone` until the message that is sent to it is confirmed.',
  })
  @ApiRedirectQuery()
  @ApiBody({
    type: ChangeAddressDto,
    examples: {
      email: { summary: 'Another email', value: { email: 'newemail@example.com' } },
      phone: { summary: 'Another phone', value: { phone: '+1234567890' } },
    },
  })
  @ApiOkResponse({
    type: UserResponse,
    description: 'The user, with the address that waits for its confirmation.',
    headers: limitHeaders,
    example: { ...exampleUser, new_email: 'newemail@example.com' },
  })
  @ApiErrors(
    {
      missing_address: ['validation_failed', 'Email or phone number is required', 'Missing required field'],
      invalid_field: ['validation_failed', 'Send email or phone, not both'],
      redirect_not_allowed: ['validation_failed', redirectNotAllowed],
      ...messageErrors,
      bad_access_token: ['bad_jwt', 'Send a valid access token as Authorization: Bearer'],
    },
    limitHeaders,
  )
  change(
    @BearerId() userId: string,
    @Body() { channel }: ChangeAddressDto,
    @Accepted() accepted: AcceptContext,
  ): Promise<UserResponse> {
    return this.service.change(userId, accepted.message(channel === 'email' ? 'email_change' : 'sms'));
  }
}
