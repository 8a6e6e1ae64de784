import { firstUuidV7 } from '../platform/ids.js';
import type { MessageStatus } from '../auth/messages/message-status.js';
import type { MessageFilters } from './messages.dto.js';

const hourMs = 60 * 60_000;

/**
 * How much older a message's id may be than its acceptance: an id that was promised to an idempotency key is taken when
 * the request is repeated, within the lifetime of the key. The hour is for instances whose clocks differ.
 */
const oldestIdMs = 25 * hourMs;
const newestIdMs = hourMs;

/** As in the predicates of the indexes. */
const onTheirWay = `status IN ('accepted', 'sending')`;
const ended = `status NOT IN ('accepted', 'sending')`;

/** Statuses that most messages have in the end. No index serves them; one for the others is much smaller. */
const usual: ReadonlySet<MessageStatus> = new Set(['sent', 'delivered']);

interface Section {
  /** Only what comes after this UUID in the list. */
  readonly after: string | undefined;
  /** The last one that is looked at. */
  readonly end: string | null;
  /** Leaves out what no index serves. */
  readonly indexedOnly?: boolean;
}

interface Conditions {
  readonly parameters: unknown[];
  /** `UNION ALL` arms, each served by an index of its own; together all messages that match, each once. */
  readonly arms: readonly string[];
}

/** Whether an index finds the messages and nothing else. */
export function isIndexed({ status, recipient, ...others }: MessageFilters): boolean {
  if (recipient !== undefined) return true;
  const hasOthers = Object.values<unknown>(others).some((value) => value !== undefined);
  return !hasOthers && (status === undefined || !usual.has(status));
}

/** The filters in SQL. A status that has no index counts as one more condition, like the type. */
export function conditionsOf(
  filters: MessageFilters,
  { after, end, indexedOnly = false }: Section,
): Conditions {
  const { status, recipient, since, until } = filters;
  const parameters: unknown[] = [];
  const conditions: string[] = [];
  const add = (value: unknown, condition: (parameter: string) => string) => {
    if (value === undefined) return;
    parameters.push(value);
    conditions.push(condition(`$${parameters.length}`));
  };
  add(after, (id) => `id < ${id}::uuid`);
  add(end ?? undefined, (id) => `id >= ${id}::uuid`);
  add(since && firstUuidV7(since.getTime() - oldestIdMs), (id) => `id >= ${id}::uuid`);
  add(until && firstUuidV7(until.getTime() + newestIdMs), (id) => `id < ${id}::uuid`);
  if (!indexedOnly || (status && !usual.has(status))) add(status, (text) => `status = ${text}`);
  if (!indexedOnly) {
    add(recipient, (text) => `recipient = ${text}`);
    addUnindexed(filters, add);
  }
  const all = conditions.join(' AND ') || 'true';
  return { parameters, arms: armsOf(filters).map((arm) => `${all} AND ${arm}`) };
}

function addUnindexed(
  { reason, type, channel, provider, since, until }: MessageFilters,
  add: (value: unknown, condition: (parameter: string) => string) => void,
): void {
  add(since, (time) => `accepted_at >= ${time}`);
  add(until, (time) => `accepted_at < ${time}`);
  add(reason, (text) => `reason = ${text}`);
  add(type, (text) => `type = ${text}`);
  add(channel, (text) => `channel = ${text}`);
  // Asked for each message on its own: as a join it would be planned over all attempts there ever were.
  add(
    provider,
    (text) =>
      `(SELECT true FROM delivery_attempts WHERE message_id = messages.id AND provider = ${text} LIMIT 1)`,
  );
}

/** Messages under way are in no index for operators, so that a recipient is looked for in two places. */
function armsOf({ status, recipient }: MessageFilters): readonly string[] {
  if (status === 'accepted' || status === 'sending') return [onTheirWay];
  if (recipient === undefined) return ['true'];
  return status === undefined ? [ended, onTheirWay] : [ended];
}
