import { ApiProperty } from '@nestjs/swagger';

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
    pattern: '^[0-9]{6}$',
    example: '123456',
    description: 'The six-digit code in the text.',
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
