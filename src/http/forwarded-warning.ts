import type { FastifyInstance } from 'fastify';
import type { TrustedProxies } from '../config/addresses.config.js';
import type { Log } from '../platform/log.js';
import { trustProxyOption } from './client-ip.js';

/**
 * Says once that somebody forwards requests whom `TRUST_PROXY` does not name: most likely a proxy, behind which all clients
 * share one limit. A client that only pretends costs no more than this line.
 */
export function warnOfForwarded(fastify: FastifyInstance, log: Log, trusted: TrustedProxies): void {
  const isTrusted = trustProxyOption(trusted) || (() => false);
  let isSaid = false;
  fastify.addHook('onRequest', (request, _reply, done) => {
    if (!isSaid) {
      const { socket, headers } = request.raw;
      const name = (['x-forwarded-for', 'forwarded'] as const).find(
        (header) => headers[header] !== undefined,
      );
      if (name !== undefined && !isTrusted(socket.remoteAddress ?? '', 0)) {
        isSaid = true;
        log.warn(
          { event: 'forwarded', header: name },
          'A peer that TRUST_PROXY does not name forwards requests. If it is your proxy, all its clients share one limit: set ' +
            'TRUST_PROXY to the number of proxies, such as 1, or to their addresses',
        );
      }
    }
    done();
  });
}
