import { createHmac } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../../../../api-error.js';
import { Config } from '../../../../config.js';
import {
  EventGuard,
  headerOf,
  isSame,
  notAuthentic,
  notConfigured,
  rawText,
  reportLimit,
} from '../event.guard.js';

/**
 * Twilio signs the address that it calls, as it was given to it, followed by the fields of the form in the order of
 * their names (https://www.twilio.com/docs/usage/security#validating-requests). There is no time in it: what was caught
 * once could be sent again, and has no effect then.
 */
@Injectable()
export class TwilioGuard extends EventGuard {
  constructor(private readonly config: Config) {
    super();
  }

  protected override async read(request: FastifyRequest): Promise<URLSearchParams> {
    const { twilio } = this.config.sms;
    if (!twilio) throw notConfigured();
    if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(headerOf(request, 'content-type'))) {
      throw new ApiError('unsupported_media_type', 'Send the body as application/x-www-form-urlencoded');
    }
    const form = new URLSearchParams(await rawText(request, reportLimit));
    const given = headerOf(request, 'x-twilio-signature');
    const url = this.config.publicUrl + request.url;
    if (!isSame(given, twilioSignature(twilio.authToken, url, form))) throw notAuthentic();
    return form;
  }
}

function twilioSignature(authToken: string, url: string, form: URLSearchParams): string {
  const names = [...new Set(form.keys())].sort();
  const fields = names.map((name) =>
    [...new Set(form.getAll(name))]
      .sort()
      .map((value) => name + value)
      .join(''),
  );
  return createHmac('sha1', authToken)
    .update(url + fields.join(''), 'utf8')
    .digest('base64');
}
