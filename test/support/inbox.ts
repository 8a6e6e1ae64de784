import { eventually } from './eventually.js';
import type { RunningApp } from './start-app.js';

export interface InboxMessage {
  id: string;
  message_id: string;
  channel: 'email' | 'sms';
  to: string;
  subject: string | null;
  text: string;
  html: string | null;
  link: string | null;
  code: string;
  received_at: string;
}

export async function inboxOf({ http }: Pick<RunningApp, 'http'>, to: string): Promise<InboxMessage[]> {
  const response = await http.get('/inbox/messages').query({ to }).expect(200);
  return response.body as InboxMessage[];
}

/** The message with this id, once it has arrived. */
export function arrived(
  running: Pick<RunningApp, 'http'>,
  to: string,
  messageId: string,
): Promise<InboxMessage> {
  return eventually(`message ${messageId} in the inbox`, async () =>
    (await inboxOf(running, to)).find(({ message_id }) => message_id === messageId),
  );
}
