import type { Provider } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Config } from '../config/config.js';
import { ExpiredRows, type Retention } from '../housekeeping/expired-rows.js';
import { Housekeeping, RetentionJob } from '../housekeeping/housekeeping.js';
import { Clock } from '../platform/clock.js';
import { FinishedMessages } from './messages/finished-messages.js';
import { debtLifetimeMs } from './sms-abuse/prefix-credit.js';
import { ExpiredTokens } from './tokens/expired-tokens.js';

const dayMs = 86_400_000;

/** Tables whose rows end by their age alone. */
export const retentions: readonly Retention[] = [
  { table: 'used_links', key: ['link_hash'], from: 'expires_at', keptMs: 0 },
  { table: 'guess_totals', key: ['key'], from: 'expires_at', keptMs: 0 },
  { table: 'idempotency_keys', key: ['key'], from: 'expires_at', keptMs: 0 },
  { table: 'stopped_mails', key: ['key'], from: 'expires_at', keptMs: 0 },
  { table: 'sliding_logs', key: ['key'], from: 'expires_at', keptMs: 0 },
  // Replay protection: for as long as a report that was intercepted might be sent again.
  { table: 'sms_keywords', key: ['provider', 'event_id'], from: 'received_at', keptMs: 365 * dayMs },
  { table: 'sms_prefixes', key: ['prefix'], from: 'at', keptMs: debtLifetimeMs },
  // Until last month's invoice has been compared with it.
  {
    table: 'sms_spending',
    key: ['day', 'scope'],
    from: 'day',
    isOver: `day < ($1::timestamptz AT TIME ZONE 'UTC')::date`,
    keptMs: 62 * dayMs,
  },
];

/** One for each kind of row that ends, in the order in which they sweep. */
export function retentionJobs(dataSource: DataSource, clock: Clock, config: Config): RetentionJob[] {
  return [
    new FinishedMessages(dataSource, clock, config),
    new ExpiredTokens(dataSource, clock, config),
    ...retentions.map((retention) => new ExpiredRows(retention, dataSource, clock)),
  ];
}

/** For processes that deliver; they have no client waiting, or one process does it all. */
export const housekeepingProviders: Provider[] = [
  { provide: RetentionJob, inject: [DataSource, Clock, Config], useFactory: retentionJobs },
  Housekeeping,
];
