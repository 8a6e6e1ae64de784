import { Writable } from 'node:stream';
import Fastify from 'fastify';
import { readConfig } from '../../src/config/config.js';
import { logRequests } from '../../src/http/request-log.js';
import { createLog } from '../../src/platform/log.js';
import { Metrics } from '../../src/platform/metrics.js';
import { TestClock } from '../support/test-clock.js';

it('has a line for each of the first 60 refusals of a minute, and for one in a hundred beyond, which says so', async () => {
  const lines: { status: number; sampled?: number }[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      for (const line of chunk.toString().trim().split('\n')) lines.push(JSON.parse(line) as never);
      done();
    },
  });
  const [clock, metrics, fastify] = [new TestClock(), new Metrics(), Fastify()];
  logRequests(fastify, createLog(readConfig({}), sink), metrics, clock);
  fastify.get('/refused', (_request, reply) => reply.status(429).send({}));
  fastify.get('/taken', (_request, reply) => reply.send({}));
  const ask = async (path: string, times: number) => {
    for (let i = 0; i < times; i++) await fastify.inject(path);
  };
  const refusals = () => lines.splice(0).filter(({ status }) => status === 429);

  await ask('/refused', 359);
  expect(refusals().map(({ sampled = 1 }) => sampled)).toEqual([...Array<number>(60).fill(1), 100, 100]);
  await ask('/taken', 100);
  expect(lines.splice(0)).toHaveLength(100);
  clock.advance(60_000);
  await ask('/refused', 1);
  expect(refusals()).toHaveLength(1);
  expect(await metrics.text()).toMatch(/strike_auth_http_request_seconds_count\{[^}]*status="429"\} 360\n/);
  await fastify.close();
});
