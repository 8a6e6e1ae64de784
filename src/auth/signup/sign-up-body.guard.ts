import { Injectable } from '@nestjs/common';
import { withCaptchaToken } from '../accept/captcha-token.js';
import { redirectingBodyGuard } from '../redirecting-body.guard.js';
import { SignUpRequest } from './sign-up.request.js';

@Injectable()
export class SignUpBodyGuard extends redirectingBodyGuard(SignUpRequest, { read: withCaptchaToken }) {}
