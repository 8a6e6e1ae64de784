import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Config } from '../../../../config.js';
import {
  EventGuard,
  headerOf,
  isSame,
  jsonObject,
  notAuthentic,
  notConfigured,
  rawText,
} from '../event.guard.js';

/** A bounce may hold what the other server said at length. In bytes. */
const postmarkLimit = 256 * 1024;

/** Postmark does not sign; it logs in as the address of its webhook says (RFC 7617). */
@Injectable()
export class PostmarkGuard extends EventGuard {
  constructor(private readonly config: Config) {
    super();
  }

  protected override async read(request: FastifyRequest): Promise<Record<string, unknown>> {
    const { postmark } = this.config.events;
    if (!postmark) throw notConfigured();
    const login = Buffer.from(`${postmark.user}:${postmark.password}`, 'utf8').toString('base64');
    if (!isSame(headerOf(request, 'authorization'), `Basic ${login}`)) throw notAuthentic();
    return jsonObject(await rawText(request, postmarkLimit));
  }
}
