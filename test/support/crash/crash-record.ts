import type { Arrival } from './recording-smtp-server.js';

/** A message as the database has it. */
export interface MessageRow {
  /** As the client got it in the answer: `msg_…`. */
  readonly id: string;
  readonly recipient: string;
  readonly status: string;
}

/** One `kill -9`. */
export interface Kill {
  readonly process: string;
  /** Messages that the database called `sending` right after it: nothing else can have been on its way. */
  readonly inFlight: ReadonlySet<string>;
}

/** What was seen from outside. */
export interface CrashRecord {
  /** Ids that clients got with 200. Messages whose answer was lost are in `rows` only. */
  readonly accepted: readonly string[];
  /** Answers other than 200 and 503. */
  readonly unexpectedAnswers: readonly number[];
  readonly kills: readonly Kill[];
  /** In the order in which they came. */
  readonly arrivals: readonly Arrival[];
  /** All of them, after the last restart. */
  readonly rows: readonly MessageRow[];
  readonly isKnown: (recipient: string) => boolean;
}

export function isOpen({ status }: Pick<MessageRow, 'status'>): boolean {
  return status === 'accepted' || status === 'sending';
}

/**
 * How often a message may arrive: once, and once more for each kill that met it in flight. More exactly, every arrival but
 * the last must come from a process that was killed while the message was in flight, and from no process twice.
 * @returns a sentence for each broken promise; none when all were kept
 */
export function brokenPromises(record: CrashRecord): string[] {
  const { accepted, unexpectedAnswers, arrivals, rows, isKnown } = record;
  const ids = new Set(rows.map(({ id }) => id));
  const sendersOf = groupSenders(arrivals);
  return [
    ...unexpectedAnswers.map((status) => `a request was answered ${status}`),
    ...accepted.filter((id) => !ids.has(id)).map((id) => `${id} was accepted and is gone`),
    ...[...sendersOf.keys()].filter((id) => !ids.has(id)).map((id) => `${id} arrived and is gone`),
    ...rows.flatMap((row) =>
      brokenBy(row, sendersOf.get(row.id) ?? [], isKnown(row.recipient), record.kills),
    ),
  ];
}

function brokenBy(
  { id, status }: MessageRow,
  senders: readonly string[],
  known: boolean,
  kills: readonly Kill[],
): string[] {
  if (isOpen({ status })) return [`${id} has not ended: ${status}`];
  if (!known)
    return status === 'dropped' && senders.length === 0 ? [] : [`${id} is for nobody and was ${status}`];
  if (status !== 'sent') return [`${id} was ${status} instead of sent`];
  if (senders.length === 0) return [`${id} is called sent and has not arrived`];
  const unsettled = (sender: string) =>
    kills.some(({ process, inFlight }) => process === sender && inFlight.has(id));
  const earlier = senders.slice(0, -1);
  if (new Set(senders).size === senders.length && earlier.every(unsettled)) return [];
  return [`${id} arrived ${senders.length} times, from ${senders.join(', ')}: more than the kills explain`];
}

/** What the record amounts to, for a table. */
export function figuresOf(record: CrashRecord) {
  const { accepted, kills, arrivals, rows } = record;
  const broken = brokenPromises(record);
  return {
    kills: kills.length,
    accepted: accepted.length,
    'answer lost': rows.length - accepted.length,
    sent: rows.filter(({ status }) => status === 'sent').length,
    dropped: rows.filter(({ status }) => status === 'dropped').length,
    'in flight at kills': kills.reduce((sum, { inFlight }) => sum + inFlight.size, 0),
    doubled: arrivals.length - new Set(arrivals.map(({ messageId }) => messageId)).size,
    'promises broken': broken.length,
  };
}

function groupSenders(arrivals: readonly Arrival[]): Map<string, string[]> {
  const senders = new Map<string, string[]>();
  for (const { messageId, sender } of arrivals) {
    const known = senders.get(messageId);
    if (known) known.push(sender);
    else senders.set(messageId, [sender]);
  }
  return senders;
}
