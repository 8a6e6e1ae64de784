import { Writable } from 'node:stream';
import { QueryFailedError } from 'typeorm';
import { readConfig } from '../../src/config/config.js';
import { createLog, NestLog } from '../../src/platform/log.js';

function logging() {
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  return { lines, log: createLog(readConfig({}), sink) };
}

describe('the log', () => {
  const failed = new QueryFailedError(
    'INSERT INTO messages VALUES ($1)',
    ['private@example.com'],
    Object.assign(new Error('canceling statement due to statement timeout'), {
      detail: 'private@example.com',
    }),
  );

  it('tells what a failed query met, and nothing of what was in it', () => {
    const { lines, log } = logging();
    log.error({ err: failed }, 'It failed');
    log.error({ err: new Error('outer', { cause: failed }) });
    new NestLog(log).error(failed, 'SomeService');
    expect(lines).toHaveLength(3);
    for (const line of lines) {
      expect(line).toContain('statement timeout');
      expect(line).not.toContain('private@example.com');
    }
  });

  it('keeps the wiring of Nest at debug, and what our own parts say at info', () => {
    const { lines, log } = logging();
    new NestLog(log).log('Mapped {/resend, POST} route', 'RouterExplorer');
    new NestLog(log).log('Redis is back', 'ResilientSlidingLog');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('Redis is back');
  });
});
