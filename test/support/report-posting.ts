import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import {
  DeliveryAttemptEntity,
  type DeliveryEventEntity,
  MessageEntity,
} from '../../src/auth/messages/message.entities.js';
import { messageIdOf, uuidV7 } from '../../src/platform/ids.js';
import type { Report } from './reporting-vendors.js';
import type { RunningApp } from './start-app.js';

const hourMs = 3_600_000;

/** Sends the report as the vendor does, and returns status and body of the answer. */
export async function post(
  { url, clock }: Pick<RunningApp, 'url' | 'clock'>,
  { path, headers, body }: Report,
) {
  // The vendor's clock goes on while the service's stands, and a signature is good for minutes only.
  clock.catchUp();
  const response = await fetch(url + path, { method: 'POST', headers, body });
  return { status: response.status, text: await response.text() };
}

/** A message as a worker has left it; nobody takes it for the next hour. */
export async function insertMessage(
  { app, clock }: Pick<RunningApp, 'app' | 'clock'>,
  fields: Partial<MessageEntity> = {},
): Promise<{ id: string; messageId: string }> {
  const id = uuidV7(clock.now());
  const row = {
    id,
    type: 'sms' as const,
    channel: 'sms' as const,
    recipient: `+1${String(Math.random()).slice(2, 12)}`,
    status: 'sent' as const,
    attempts: 1,
    acceptedAt: new Date(clock.now()),
    dueAt: new Date(clock.now() + hourMs),
    ...fields,
  };
  await app.get(DataSource).getRepository(MessageEntity).insert(row);
  return { id, messageId: messageIdOf(id) };
}

export async function insertAttempt(
  { app, clock }: Pick<RunningApp, 'app' | 'clock'>,
  fields: Pick<DeliveryAttemptEntity, 'messageId' | 'provider' | 'receiptId'>,
): Promise<void> {
  const row = { id: randomUUID(), attempt: 1, outcome: 'sent' as const, endedAt: new Date(clock.now()) };
  await app
    .get(DataSource)
    .getRepository(DeliveryAttemptEntity)
    .insert({ ...row, ...fields });
}

/** The events that were written down for the message, in the order in which they came. */
export function eventsOf({ app }: Pick<RunningApp, 'app'>, id: string) {
  return app
    .get(DataSource)
    .query<Pick<DeliveryEventEntity, 'provider' | 'kind' | 'detail'>[]>(
      `SELECT provider, kind, detail FROM delivery_events WHERE message_id = $1 ORDER BY received_at`,
      [id],
    );
}
