import fastify from 'fastify';
import { trustedProxies } from '../../src/config/addresses.config.js';
import { warnOfForwarded } from '../../src/http/forwarded-warning.js';
import type { Log } from '../../src/platform/log.js';

/** The warnings after requests from a peer at 10.0.0.7. */
async function warningsAfter(trustProxy: string, ...requests: Record<string, string>[]): Promise<string[]> {
  const server = fastify();
  const warnings: string[] = [];
  const log = { warn: (_about: object, text: string) => warnings.push(text) } as unknown as Log;
  warnOfForwarded(server, log, trustedProxies(trustProxy));
  server.get('/', () => 'here');
  for (const headers of requests) {
    await server.inject({ url: '/', headers, remoteAddress: '10.0.0.7' });
  }
  await server.close();
  return warnings;
}

const forwarded = { 'x-forwarded-for': '198.51.100.7' };

describe('Somebody who forwards requests', () => {
  it.each([
    ['0', forwarded],
    ['0', { forwarded: 'for=198.51.100.7' }],
    ['192.0.2.0/24', forwarded],
    ['10.0.0.8,fd00::/8', { 'X-Forwarded-For': '10.0.0.8' }],
  ])('is warned of once in a process when TRUST_PROXY=%s does not name them', async (trustProxy, headers) => {
    const warnings = await warningsAfter(trustProxy, {}, headers, headers, forwarded);
    expect(warnings).toEqual([expect.stringContaining('set TRUST_PROXY to the number of proxies')]);
    expect(warnings.join()).not.toContain('198.51.100.7');
  });

  it.each(['1', '10.0.0.0/8', '10.0.0.7'])('is not when TRUST_PROXY=%s does', async (trustProxy) => {
    expect(await warningsAfter(trustProxy, {}, forwarded)).toEqual([]);
  });

  it('is not when nobody forwards anything', async () => {
    expect(await warningsAfter('0', {}, { via: '1.1 proxy' })).toEqual([]);
  });
});
