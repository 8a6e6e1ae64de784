import type { LoggerService } from '@nestjs/common';
import { type DestinationStream, type Logger, pino } from 'pino';
import type { Config } from '../config/config.js';

/**
 * Redacts an address for logs: `u***@example.com`, `+1*****7890`. Enough to recognise one's own, too little to write to.
 */
export function maskIdentifier(identifier: string): string {
  const at = identifier.lastIndexOf('@');
  // Of one letter it shows none: that would be the whole address.
  if (at > 0) return `${at > 1 ? identifier.slice(0, 1) : ''}***${identifier.slice(at)}`;
  return `${identifier.slice(0, 2)}*****${identifier.length > 8 ? identifier.slice(-4) : ''}`;
}

/** The structured log, one JSON object a line. The class is the token under which pino's logger is injected. */
export abstract class Log {}
export interface Log extends Logger {}

export function createLog(config: Config, destination?: DestinationStream): Log {
  const options = {
    level: config.logLevel,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: withoutParameters },
    formatters: { level: (level: string) => ({ level }) },
  };
  return destination ? pino(options, destination) : pino(options);
}

/**
 * Redacts an error for the log: errors of the database carry the statement's parameters, addresses and hashes, so only
 * the fields on this allow list get through.
 */
function withoutParameters(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error };
  const { name, message, stack, cause } = error;
  const code = (error as NodeJS.ErrnoException).code;
  return {
    type: name,
    message,
    code,
    stack,
    ...(cause instanceof Error ? { cause: withoutParameters(cause) } : {}),
  };
}

/** Parts of Nest that log every module and route that they wire. */
const wiring = new Set([
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestApplication',
]);

/** Adapter: what Nest and users of its `Logger` say goes to the same log. */
export class NestLog implements LoggerService {
  constructor(private readonly target: Log) {}

  private write(
    level: 'info' | 'error' | 'warn' | 'debug' | 'trace',
    message: unknown,
    parameters: unknown[],
  ): void {
    const context = parameters.at(-1);
    const fields = typeof context === 'string' ? { context } : {};
    if (message instanceof Error) this.target[level]({ ...fields, err: message });
    else this.target[level](fields, String(message));
  }

  log(message: unknown, ...parameters: unknown[]): void {
    const chatty = wiring.has(String(parameters.at(-1)));
    this.write(chatty ? 'debug' : 'info', message, parameters);
  }
  error(message: unknown, ...parameters: unknown[]): void {
    this.write('error', message, parameters);
  }
  warn(message: unknown, ...parameters: unknown[]): void {
    this.write('warn', message, parameters);
  }
  debug(message: unknown, ...parameters: unknown[]): void {
    this.write('debug', message, parameters);
  }
  verbose(message: unknown, ...parameters: unknown[]): void {
    this.write('trace', message, parameters);
  }
}
