import type { Config } from '../config.js';

/** There is an inbox when nobody named a mail server, and never in production: it shows everybody's codes. */
export function inboxEnabled({ production, smtpUrl }: Config): boolean {
  return !production && smtpUrl === undefined;
}
