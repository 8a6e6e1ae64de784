import { ApiProperty } from '@nestjs/swagger';
import type { User } from '../messages/user.js';

const email = { type: String, nullable: true, maxLength: 254, pattern: '^[!-~]+@[!-~]+$' } as const;
const phone = { type: String, nullable: true, pattern: '^\\+[1-9][0-9]{1,14}$' } as const;

/** A user as clients see them. What is absent is an explicit null; times are ISO 8601 in UTC. */
export class UserResponse {
  @ApiProperty({ format: 'uuid', example: '3f0c1f0e-8a57-4f0a-9d27-0b8f6f3f5a11' })
  id: string;

  @ApiProperty({ ...email, example: 'user@example.com' })
  email: string | null;

  @ApiProperty({ ...phone, example: null, description: 'E.164' })
  phone: string | null;

  @ApiProperty({ type: String, nullable: true, format: 'date-time', example: '2026-01-31T12:00:00.000Z' })
  email_confirmed_at: string | null;

  @ApiProperty({ type: String, nullable: true, format: 'date-time', example: null })
  phone_confirmed_at: string | null;

  @ApiProperty({ ...email, example: null, description: 'Asked for and not yet confirmed.' })
  new_email: string | null;

  @ApiProperty({ ...phone, example: null, description: 'Asked for and not yet confirmed.' })
  new_phone: string | null;

  @ApiProperty({ type: 'object', additionalProperties: true, example: { name: 'Ada' } })
  user_metadata: Readonly<Record<string, unknown>>;

  @ApiProperty({ format: 'date-time', example: '2026-01-31T11:58:00.000Z' })
  created_at: string;

  static of(user: User): UserResponse {
    return {
      id: user.id,
      email: user.email,
      phone: user.phone,
      email_confirmed_at: user.emailConfirmedAt?.toISOString() ?? null,
      phone_confirmed_at: user.phoneConfirmedAt?.toISOString() ?? null,
      new_email: user.pendingEmail,
      new_phone: user.pendingPhone,
      user_metadata: user.metadata,
      created_at: user.createdAt.toISOString(),
    };
  }
}

export const exampleUser = {
  id: '3f0c1f0e-8a57-4f0a-9d27-0b8f6f3f5a11',
  email: 'user@example.com',
  phone: null,
  email_confirmed_at: null,
  phone_confirmed_at: null,
  new_email: null,
  new_phone: null,
  user_metadata: {},
  created_at: '2026-01-31T11:58:00.000Z',
} satisfies UserResponse;
