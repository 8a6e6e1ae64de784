import { Body, Controller, Header, HttpCode, Post, UseGuards } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiErrors, captchaErrors, messageErrors } from '../../openapi/api-errors.decorator.js';
import { limitHeaders } from '../../openapi/components.js';
import { CaptchaAction } from '../accept/captcha/captcha-verifier.js';
import { CaptchaGuard } from '../accept/captcha/captcha.guard.js';
import { IdentifierThrottlerGuard, IpThrottlerGuard } from '../accept/throttler.guards.js';
import { AcceptContext, Accepted } from '../requests/accept-context.js';
import { ApiRedirectQuery, redirectNotAllowed } from '../requests/redirect-allow-list.js';
import { exampleUser, UserResponse } from '../users/user.response.js';
import { SignUpBodyGuard, SignUpDto } from './sign-up.dto.js';
import { SignUpService } from './sign-up.service.js';

@ApiTags('Users')
@Controller()
export class SignUpController {
  constructor(private readonly service: SignUpService) {}

  @Post('signup')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @CaptchaAction('signup')
  @UseGuards(IpThrottlerGuard, SignUpBodyGuard, CaptchaGuard, IdentifierThrottlerGuard)
  @ApiOperation({
    operationId: 'signUp',
    summary: 'Sign up with an email or a phone',
    description:
      'Creates an unconfirmed user and sends the first confirmation. The answer has the same shape when the address ' +
      'is taken; then nobody is added.',
  })
  @ApiRedirectQuery()
  @ApiBody({
    type: SignUpDto,
    examples: {
      email: {
        summary: 'By email',
        value: { email: 'user@example.com', password: 'correct horse battery staple' },
      },
      phone: {
        summary: 'By phone, with data of your own',
        value: { phone: '+1234567890', password: 'correct horse battery staple', data: { name: 'Ada' } },
      },
    },
  })
  @ApiOkResponse({
    type: UserResponse,
    description: 'The user, not yet confirmed.',
    headers: limitHeaders,
    example: exampleUser,
  })
  @ApiErrors(
    {
      missing_address: ['validation_failed', 'Email or phone number is required', 'Missing required field'],
      missing_password: ['validation_failed', 'Password is required', 'Missing required field'],
      invalid_field: ['validation_failed', 'password must be 8 to 256 characters'],
      redirect_not_allowed: ['validation_failed', redirectNotAllowed],
      ...messageErrors,
      ...captchaErrors,
    },
    limitHeaders,
  )
  signUp(@Body() dto: SignUpDto, @Accepted() accepted: AcceptContext): Promise<UserResponse> {
    return this.service.signUp(dto, accepted.message('signup'));
  }
}
