import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import 'reflect-metadata';
import { type Config, ConfigurationError, environment, readConfig } from './config/config.js';
import { vendorSections } from './auth/vendors/vendors.js';
import { createLog, type Log, NestLog } from './platform/log.js';
import { AppModule } from './app.module.js';
import { createAdapter, setUpApp } from './app.setup.js';
import { lowerPriority } from './delivery/lower-priority.js';
import { OneProcessModule } from './delivery/one-process.module.js';

/** Says that the service is ready, and on a terminal what to try next. */
function announce(config: Config, log: Log, url: string): void {
  log.info(
    {
      event: 'ready',
      mode: config.production ? 'production' : 'development',
      url,
      database: config.databaseUrl ? 'postgresql' : 'embedded',
      role: config.role,
    },
    'ready',
  );
  if (config.allowPublicDevelopment && !config.production) {
    log.warn('ALLOW_PUBLIC_DEVELOPMENT is set: this is development, and others may reach it');
  }
  if (config.redisUrl && !config.hashingKeys) {
    log.warn('HASHING_KEY is not set: instances share limits and codes only if they share DATA_DIR too');
  }
  if (config.production && !config.limits.delivery) {
    log.warn(
      'LIMIT_DELIVERY is not set: nothing bounds what leaves in all. Set it to what your provider allows, such as 600/1m',
    );
  }
  if (config.production || config.role === 'worker') return;
  const base = config.publicUrl;
  process.stdout.write(`
  Strike Auth is ready, for development: NODE_ENV=production is for the public.

    API      ${base}
    Docs     ${base}/docs
    Inbox    ${config.smtpUrls.length > 0 ? 'off: mail goes to the server in SMTP_URL' : `${base}/inbox`}

  Try it:

    curl ${base}/signup -H 'Content-Type: application/json' \\
      -d '{"email":"you@example.com","password":"correct horse battery"}'

    curl ${base}/resend -H 'Content-Type: application/json' \\
      -d '{"type":"signup","email":"you@example.com"}'

`);
}

async function main(): Promise<void> {
  const config = readConfig(environment(), vendorSections);
  const log = createLog(config);
  if (config.role === 'worker') lowerPriority();
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
  // Plain text, not JSON: an operator at a terminal reads it and has something to mend.
  const text =
    error instanceof ConfigurationError
      ? error.message
      : error instanceof Error
        ? error.stack
        : String(error);
  process.stderr.write(`Strike Auth cannot start.\n${text ?? ''}\n`);
  process.exit(1);
});
