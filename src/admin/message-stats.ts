import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { ApiError } from '../http/api-error.js';
import type { ConfirmationType } from '../auth/messages/confirmation-type.js';
import type { MessageStatus } from '../auth/messages/message-status.js';
import { Clock } from '../platform/clock.js';
import { firstUuidV7 } from '../platform/ids.js';
import { conditionsOf } from './message-conditions.js';
import type { ProviderCount, StatsQueryDto, StatsResponse } from './stats.dto.js';

const hourMs = 60 * 60_000;
const dayMs = 24 * hourMs;
/** Every message of the range is read. */
const longestRangeDays = 7;

interface Group {
  readonly hour: Date;
  readonly status: MessageStatus;
  readonly type: ConfirmationType;
  readonly messages: number;
}

/** Counts of messages by the time of their acceptance, and of attempts by the time of their end. */
@Injectable()
export class MessageStats {
  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
  ) {}

  /** @throws ApiError 400 when the range is empty or longer than 7 days */
  async count({ since: given, until = new Date(this.clock.now()) }: StatsQueryDto): Promise<StatsResponse> {
    const since = given ?? new Date(Math.max(0, until.getTime() - dayMs));
    const range = until.getTime() - since.getTime();
    if (range <= 0) throw new ApiError('validation_failed', 'since must be before until');
    if (range > longestRangeDays * dayMs) {
      throw new ApiError('validation_failed', `since must be at most ${longestRangeDays} days before until`);
    }
    const groups = await this.groups(since, until);
    return {
      since,
      until,
      messages: groups.reduce((sum, { messages }) => sum + messages, 0),
      by_status: summed(groups, ({ status }) => ({ status })),
      by_type: summed(groups, ({ type }) => ({ type })),
      by_hour: summed(groups, ({ hour, status }) => ({ hour, status })),
      by_provider: await this.attempts(since, until),
    };
  }

  private groups(since: Date, until: Date): Promise<Group[]> {
    const { parameters, arms } = conditionsOf({ since, until }, { after: undefined, end: null });
    return this.dataSource.query<Group[]>(
      `SELECT date_trunc('hour', accepted_at, 'UTC') AS hour, status, type, count(*)::int AS messages
       FROM messages WHERE ${arms.join(' AND ')} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`,
      parameters,
    );
  }

  /** Ids of attempts rise with time too, from their beginning or their end. */
  private attempts(since: Date, until: Date): Promise<ProviderCount[]> {
    return this.dataSource.query<ProviderCount[]>(
      `SELECT provider, outcome, count(*)::int AS attempts FROM delivery_attempts
       WHERE id >= $1 AND id < $2 AND ended_at >= $3 AND ended_at < $4 GROUP BY 1, 2 ORDER BY 1, 2`,
      [firstUuidV7(since.getTime() - hourMs), firstUuidV7(until.getTime() + hourMs), since, until],
    );
  }
}

/** The messages of all groups that are alike in what `keyOf` tells of them, in the order of their first. */
function summed<K extends object>(
  groups: readonly Group[],
  keyOf: (group: Group) => K,
): (K & { messages: number })[] {
  const sums = new Map<string, K & { messages: number }>();
  for (const group of groups) {
    const key = keyOf(group);
    const name = JSON.stringify(key);
    sums.set(name, { ...key, messages: (sums.get(name)?.messages ?? 0) + group.messages });
  }
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, sum]) => sum);
}
