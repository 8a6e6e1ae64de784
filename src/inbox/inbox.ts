import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { uuidV7 } from '../uuid-v7.js';
import type { InboxMessage } from './inbox-message.js';

const inboxCapacity = 1_000;

export type ArrivedMessage = Omit<InboxMessage, 'id' | 'received_at'>;

/** The newest messages that the catcher has received, in memory: a restart empties it. */
@Injectable()
export class Inbox {
  /** Newest first. */
  private messages: readonly InboxMessage[] = [];

  constructor(private readonly clock: Clock) {}

  add(message: ArrivedMessage): void {
    const received = {
      id: uuidV7(this.clock.now()),
      ...message,
      received_at: new Date(this.clock.now()).toISOString(),
    };
    this.messages = [received, ...this.messages.slice(0, inboxCapacity - 1)];
  }

  /** Newest first. `to` is a whole address; it is normalised here. Without it, all. */
  list(to?: string): readonly InboxMessage[] {
    if (to === undefined || to.trim() === '') return this.messages;
    const wanted = normalised(to);
    return this.messages.filter((message) => message.to === wanted);
  }
}

function normalised(to: string): string {
  // A `+` that nobody encoded reads as a space in a query string.
  const address = to
    .replace(/^ (?=\d)/, '+')
    .trim()
    .toLowerCase();
  return address.includes('@') ? address : address.replace(/[\s().-]/g, '');
}
