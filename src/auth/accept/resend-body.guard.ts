import { Injectable } from '@nestjs/common';
import { redirectingBodyGuard } from '../redirecting-body.guard.js';
import { withCaptchaToken } from './captcha-token.js';
import { ResendRequest } from './resend.request.js';

/** Reads the request, in either dialect, and settles where its link may lead. */
@Injectable()
export class ResendBodyGuard extends redirectingBodyGuard(ResendRequest, { read: withCaptchaToken }) {}
