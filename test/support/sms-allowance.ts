import { randomUUID } from 'node:crypto';
import { NumberCap } from '../../src/auth/sms-abuse/number-cap.js';
import { PrefixCredit } from '../../src/auth/sms-abuse/prefix-credit.js';
import { type Admission, SmsAllowance } from '../../src/auth/sms-abuse/sms-allowance.js';
import { SmsBudget } from '../../src/auth/sms-abuse/sms-budget.js';
import { readConfig } from '../../src/config/config.js';
import type { KeyedHash } from '../../src/platform/keyed-hash.js';
import { SqlSlidingLog } from '../../src/rate-limit/sql-sliding-log.js';
import { createLog } from '../../src/platform/log.js';
import { Metrics } from '../../src/platform/metrics.js';
import { testHash } from './hash.js';
import type { OpenDatabase } from './open-database.js';
import type { TestClock } from './test-clock.js';

/** An instance of the allowance, as each process has one, with its limits from the environment variables. */
export function smsAllowance(
  { transaction }: OpenDatabase,
  clock: TestClock,
  env: Record<string, string>,
  {
    hash = testHash,
    providers = ['webhook'],
    unverifiedMax,
  }: { hash?: KeyedHash; providers?: readonly string[]; unverifiedMax?: number | undefined } = {},
) {
  const config = readConfig({ NODE_ENV: 'test', SMS_ABUSE_MODE: 'enforce', ...env });
  const metrics = new Metrics();
  const logLines: string[] = [];
  const log = createLog(config, { write: (line) => void logLines.push(line) });
  const cap = new NumberCap(new SqlSlidingLog(transaction), hash, config);
  const credit = new PrefixCredit(transaction, clock, unverifiedMax);
  const budget = new SmsBudget(transaction, config);
  const bySms = providers.map((name) => ({ name, channel: 'sms' as const }));
  const allowance = new SmsAllowance(bySms, cap, credit, budget, transaction, clock, config, metrics, log);
  return { allowance, cap, credit, budget, metrics, logLines };
}

/** Asks for one message by SMS. */
export function admit(allowance: SmsAllowance, to: string): Promise<Admission> {
  return allowance.admit(randomUUID(), to);
}

/** Why a message was refused; null when it was not. */
export async function refusalOf(allowance: SmsAllowance, to: string): Promise<string | null> {
  const { refusal } = await admit(allowance, to);
  return refusal?.reason ?? null;
}
