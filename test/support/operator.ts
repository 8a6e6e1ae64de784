import { DataSource } from 'typeorm';
import { MessageEntity } from '../../src/auth/messages/message.entities.js';
import { uuidV7 } from '../../src/platform/ids.js';
import type { RunningApp } from './start-app.js';

export const serviceKey = 'k9Zr4vQ1mXw7Tb2nLc8sJd5hGf3pYe6u';

/** What the operator's program sends with each request. */
export const withKey = { Authorization: `Bearer ${serviceKey}` };

/** An operator at the API. */
export function operatorOf({ http }: Pick<RunningApp, 'http'>) {
  return {
    get: (path: string, query: object = {}) => http.get(path).query(query).set(withKey),
    post: (path: string, body: object = {}) => http.post(path).set(withKey).send(body),
    delete: (path: string) => http.delete(path).set(withKey),
  };
}

/** A row of `messages` as it might have come to be, accepted at `at` milliseconds. */
export function messageAt(at: number, fields: Partial<MessageEntity> = {}): MessageEntity {
  const isOnItsWay = fields.status === 'accepted' || fields.status === 'sending';
  return {
    id: uuidV7(at),
    type: 'signup',
    channel: 'email',
    recipient: 'user@example.com',
    redirectTo: null,
    askedBy: null,
    namedGuesses: 0,
    askerGuesses: 0,
    status: 'sent',
    reason: null,
    attempts: 1,
    dueAt: new Date(at),
    claimedBy: null,
    acceptedAt: new Date(at),
    requeuedAt: null,
    endedAt: isOnItsWay ? null : new Date(at),
    ...fields,
  };
}

export async function insertMessages(
  { app }: Pick<RunningApp, 'app'>,
  messages: readonly MessageEntity[],
): Promise<void> {
  await app
    .get(DataSource)
    .getRepository(MessageEntity)
    .insert([...messages]);
}
