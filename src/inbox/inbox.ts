import { ApiProperty } from '@nestjs/swagger';
import { Injectable } from '@nestjs/common';
import { Clock } from '../platform/clock.js';
import { uuidV7 } from '../platform/ids.js';

/** A mail or an SMS as it arrived. */
export class InboxMessage {
  @ApiProperty({
    format: 'uuid',
    example: '0198c100-0000-7000-8000-000000000001',
    description: 'Names it within the inbox.',
  })
  id: string;

  @ApiProperty({
    type: String,
    nullable: true,
    example: 'msg_0198c0ffee7b7c1e9d1f2a3b4c5d6e7f',
    description: 'What the resend endpoint answered; on a repeated delivery the same again.',
  })
  message_id: string | null;

  @ApiProperty({ enum: ['email', 'sms'], example: 'email' })
  channel: 'email' | 'sms';

  @ApiProperty({ example: 'user@example.com' })
  to: string;

  @ApiProperty({ type: String, nullable: true, example: 'Confirm your email address for example.com' })
  subject: string | null;

  @ApiProperty({ example: 'Confirm your email address\n\n…' })
  text: string;

  @ApiProperty({ type: String, nullable: true, example: '<!doctype html>…' })
  html: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    example: 'http://localhost:8080/verify?token=dG9rZW4&type=signup',
    description: 'The first link in the text.',
  })
  link: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    pattern: '^([0-9]{6}|[0-9]{8})$',
    example: '123456',
    description: 'The code in the text.',
  })
  code: string | null;

  @ApiProperty({ format: 'date-time', example: '2026-01-02T03:04:05.678Z' })
  received_at: string;
}

export const exampleMessages: InboxMessage[] = [
  {
    id: '0198c100-0000-7000-8000-000000000002',
    message_id: 'msg_0198c0ffee7b7c1e9d1f2a3b4c5d6e7f',
    channel: 'email',
    to: 'user@example.com',
    subject: 'Confirm your email address for example.com',
    text: 'Confirm your email address\n\nhttp://localhost:8080/verify?token=dG9rZW4&type=signup\n\n123456\n',
    html: '<!doctype html><title>Confirm your email address</title>',
    link: 'http://localhost:8080/verify?token=dG9rZW4&type=signup',
    code: '123456',
    received_at: '2026-01-02T03:04:05.678Z',
  },
  {
    id: '0198c100-0000-7000-8000-000000000001',
    message_id: 'msg_0198c0ffee7b7c1e9d1f2a3b4c5d6e80',
    channel: 'sms',
    to: '+1234567890',
    subject: null,
    text: '654321 is your code.',
    html: null,
    link: null,
    code: '654321',
    received_at: '2026-01-02T03:04:00.000Z',
  },
];

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
  // A `+` that was not percent-encoded reads as a space in a query string.
  const address = to
    .replace(/^ (?=\d)/, '+')
    .trim()
    .toLowerCase();
  return address.includes('@') ? address : address.replace(/[\s().-]/g, '');
}
