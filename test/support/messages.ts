import { DataSource } from 'typeorm';
import type { AttemptOutcome } from '../../src/auth/messages/message.entities.js';
import type { MessageStatus } from '../../src/auth/messages/message-status.js';
import { eventually } from './eventually.js';
import type { RunningApp } from './start-app.js';

export interface MessageRow {
  status: MessageStatus;
  reason: string | null;
  attempts: number;
}

export async function messageRow({ app }: Pick<RunningApp, 'app'>, messageId: string): Promise<MessageRow> {
  const [row] = await app
    .get(DataSource)
    .query<MessageRow[]>(`SELECT status, reason, attempts FROM messages WHERE id = $1::uuid`, [
      messageId.slice(4),
    ]);
  if (!row) throw new Error(`No message ${messageId}`);
  return row;
}

/** The message's row once it has ended. */
export function ended(running: Pick<RunningApp, 'app'>, messageId: string): Promise<MessageRow> {
  return eventually(`the end of ${messageId}`, async () => {
    const row = await messageRow(running, messageId);
    return row.status === 'accepted' || row.status === 'sending' ? null : row;
  });
}

/** Moves the clock by less than a lease, unless a message is just being handed over: its lease would pass meanwhile. */
export async function advanceWhileIdle(running: RunningApp, ms: number): Promise<void> {
  const sending = await running.app
    .get(DataSource)
    .query<unknown[]>(`SELECT FROM messages WHERE status = 'sending' LIMIT 1`);
  if (sending.length === 0) running.clock.advance(ms);
}

/** Asks for a message and returns its id. */
export async function resend({ http }: Pick<RunningApp, 'http'>, body: object): Promise<string> {
  const response = await http.post('/resend').send(body).expect(200);
  return (response.body as { message_id: string }).message_id;
}

interface AttemptRow {
  attempt: number;
  provider: string | null;
  outcome: AttemptOutcome;
  error: string | null;
}

/** The tries at a message so far, in order. */
export async function attemptRows(
  { app }: Pick<RunningApp, 'app'>,
  messageId: string,
): Promise<AttemptRow[]> {
  return app
    .get(DataSource)
    .query<AttemptRow[]>(
      `SELECT attempt, provider, outcome, error FROM delivery_attempts WHERE message_id = $1::uuid ORDER BY attempt, id`,
      [messageId.slice(4)],
    );
}
