import { Reflector } from '@nestjs/core';

/** Marks a route that takes a captcha, with the action that its widget is told: `resend` or `signup`. */
export const CaptchaAction = Reflector.createDecorator<string>();
