import type { Config } from './config.js';
import type { Log } from './log.js';

/** Says that the service is ready, and to somebody at a terminal what to try next. */
export function announce(config: Config, log: Log, url: string): void {
  log.info(
    { event: 'ready', url, database: config.databaseUrl ? 'postgresql' : 'embedded', role: config.role },
    'ready',
  );
  if (config.redisUrl && !config.hashingKey) {
    log.warn('HASHING_KEY is not set: instances share limits and codes only if they share DATA_DIR too');
  }
  if (config.production || config.role === 'worker') return;
  const base = config.publicUrl;
  process.stdout.write(`
  Strike Auth is ready.

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
