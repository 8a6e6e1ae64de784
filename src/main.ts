import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import 'reflect-metadata';
import { AppModule } from './app.module.js';
import { createAdapter, setUpApp } from './app.setup.js';
import { ConfigurationError, loadDotEnv, readConfig } from './config.js';
import { createLog, NestLog } from './log.js';
import { announce } from './announce.js';
import { stepBack } from './delivery/step-back.js';
import { OneProcessModule } from './one-process.module.js';

async function main(): Promise<void> {
  loadDotEnv();
  const config = readConfig();
  const log = createLog(config);
  if (config.role === 'worker') stepBack();
  const app = await NestFactory.create<NestFastifyApplication>(
    config.role === 'all' ? OneProcessModule.forRoot(config, log) : AppModule.forRoot(config, log),
    createAdapter(config),
    {
      bodyParser: false,
      abortOnError: false,
      logger: new NestLog(log),
    },
  );
  await setUpApp(app);
  await app.listen(config.port, config.host);
  announce(config, log, await app.getUrl());
}

main().catch((error: unknown) => {
  // Told plainly: whoever reads this has a terminal before them and something to mend.
  const text =
    error instanceof ConfigurationError
      ? error.message
      : error instanceof Error
        ? error.stack
        : String(error);
  process.stderr.write(`Strike Auth cannot start.\n${text ?? ''}\n`);
  process.exit(1);
});
