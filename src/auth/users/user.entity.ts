import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { User } from './user.js';

@Entity('users')
@Index('users_pending_email', ['pendingEmail'], { where: 'pending_email IS NOT NULL' })
@Index('users_pending_phone', ['pendingPhone'], { where: 'pending_phone IS NOT NULL' })
export class UserEntity implements User {
  @PrimaryColumn('uuid') id: string;
  @Column('text', { nullable: true, unique: true }) email: string | null;
  @Column('text', { nullable: true, unique: true }) phone: string | null;
  @Column('text', { name: 'password_hash' }) passwordHash: string;
  @Column('timestamptz', { name: 'email_confirmed_at', nullable: true }) emailConfirmedAt: Date | null;
  @Column('timestamptz', { name: 'phone_confirmed_at', nullable: true }) phoneConfirmedAt: Date | null;
  @Column('text', { name: 'pending_email', nullable: true }) pendingEmail: string | null;
  @Column('text', { name: 'pending_phone', nullable: true }) pendingPhone: string | null;
  /** When the pending address was asked for: of two users who wait for the same one, the later counts. */
  @Column('timestamptz', { name: 'pending_since', nullable: true }) pendingSince: Date | null;
  @Column('timestamptz', { name: 'banned_until', nullable: true }) bannedUntil: Date | null;
  @Column('jsonb', { default: {} }) metadata: Record<string, unknown>;
  @Column('timestamptz', { name: 'created_at' }) createdAt: Date;
}
