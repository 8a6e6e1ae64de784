import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { clientIpKey } from '../auth/accept/client-ip.js';
import { badServiceKey, ServiceKeys } from './service-keys.js';

/** Lets in who brings a service key in `Authorization: Bearer`. What it guards is kept in no cache. */
@Injectable()
export class ServiceKeyGuard implements CanActivate {
  constructor(protected readonly keys: ServiceKeys) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>().header('Cache-Control', 'no-store');
    const [, key] = /^Bearer +(\S{1,1024})$/i.exec(request.headers.authorization ?? '') ?? [];
    if (key === undefined) {
      // RFC 6750, section 3: who brought no key is only told how to bring one. Nothing was guessed, so nothing is counted.
      reply.header('WWW-Authenticate', 'Bearer');
      throw badServiceKey();
    }
    await this.keys.check(clientIpKey(request), key);
    return true;
  }
}
