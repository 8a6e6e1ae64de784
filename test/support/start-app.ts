import 'reflect-metadata';
import { Writable } from 'node:stream';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import supertest from 'supertest';
import { AppModule } from '../../src/app.module.js';
import { createAdapter, setUpApp } from '../../src/app.setup.js';
import { Clock } from '../../src/platform/clock.js';
import { vendorSections } from '../../src/auth/vendors/vendors.js';
import { readConfig } from '../../src/config/config.js';
import { EmbeddedConnections } from '../../src/database/embedded/embedded-connections.js';
import { createLog } from '../../src/platform/log.js';
import { lendTestDatabase, type TestDatabase } from './database.js';
import { checkAnswers } from './openapi-validation.js';
import { TestClock } from './test-clock.js';

interface StartOptions {
  /** Environment variables on top of those of the test database. */
  env?: Record<string, string>;
  /** One that outlives the app; without it the app has one of its own. */
  database?: TestDatabase;
  /** A last word on the module, to replace what stands at the vendor's edge. */
  /** How long a request may take to arrive. */
  requestTimeoutMs?: number;
  override?: (module: TestingModuleBuilder) => TestingModuleBuilder;
}

export interface RunningApp {
  readonly app: NestFastifyApplication;
  readonly http: ReturnType<typeof supertest>;
  readonly url: string;
  readonly clock: TestClock;
  /** Every line of the log so far, parsed. */
  readonly logLines: Record<string, unknown>[];
  /** @throws when an answer was not as the OpenAPI document says */
  stop(): Promise<void>;
}

/** The whole service with the production set-up, with a clock that the test moves. */
export async function startApp({
  env = {},
  database: given,
  override = (module) => module,
  requestTimeoutMs,
}: StartOptions = {}): Promise<RunningApp> {
  const database = given ?? (await lendTestDatabase());
  const config = readConfig(
    { NODE_ENV: 'test', LOG_LEVEL: 'debug', PORT: '0', ...database.env, ...env },
    vendorSections,
  );
  const logLines: Record<string, unknown>[] = [];
  const log = createLog(config, linesInto(logLines));
  const clock = new TestClock();
  const { embedded } = database;
  const overrides = embedded ? [{ provide: EmbeddedConnections, useValue: embedded }] : [];
  const module = await override(
    Test.createTestingModule({ imports: [AppModule.forRoot(config, log, overrides)] })
      .overrideProvider(Clock)
      .useValue(clock),
  ).compile();
  const app = module.createNestApplication<NestFastifyApplication>(createAdapter(config, requestTimeoutMs), {
    bodyParser: false,
    logger: false,
  });
  await setUpApp(app);
  const violations = checkAnswers(app);
  await app.listen(config.port, '127.0.0.1');
  const url = await app.getUrl();
  return {
    app,
    http: supertest(url),
    url,
    clock,
    logLines,
    async stop() {
      await app.close();
      if (!given) await database.drop();
      if (violations.size > 0) {
        throw new Error(`Not as openapi.json says:\n${[...violations].join('\n')}`);
      }
    },
  };
}

function linesInto(lines: Record<string, unknown>[]): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      for (const line of chunk.toString('utf8').split('\n')) {
        if (line !== '') lines.push(JSON.parse(line) as Record<string, unknown>);
      }
      done();
    },
  });
}
