import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../../../../api-error.js';
import { Config } from '../../../../config.js';
import { RawBody } from '../../../../request-body/raw-body.js';
import { EventGuard, headerOf, isSame, notAuthentic, notConfigured } from '../event.guard.js';

/** Some servers return the whole mail; ours are far smaller. In bytes. */
const notificationLimit = 1024 * 1024;

/**
 * A mail as it came, with the secret as a bearer token (RFC 6750): what a mail server can run is a pipe to `curl`, which
 * signs nothing.
 */
@Injectable()
export class DsnGuard extends EventGuard {
  constructor(private readonly config: Config) {
    super();
  }

  protected override async read(request: FastifyRequest): Promise<Buffer> {
    const { dsnSecret } = this.config.events;
    if (dsnSecret === undefined) throw notConfigured();
    // Before anything is read: nobody else may send a megabyte.
    if (!isSame(headerOf(request, 'authorization'), `Bearer ${dsnSecret}`)) throw notAuthentic();
    if (!/^message\/rfc822\s*(;|$)/i.test(headerOf(request, 'content-type'))) {
      throw new ApiError('unsupported_media_type', 'Send the body as message/rfc822');
    }
    if (!(request.body instanceof RawBody)) throw new ApiError('bad_json', 'Send the report in the body');
    return request.body.bytes(notificationLimit);
  }
}
