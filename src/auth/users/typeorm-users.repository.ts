import { Column, Entity, Index, PrimaryColumn, QueryFailedError } from 'typeorm';
import { Injectable } from '@nestjs/common';
import type { User, UserKey } from '../messages/user.js';
import { Clock } from '../../platform/clock.js';
import { Transaction } from '../../database/transaction.js';
import type { Channel } from '../messages/confirmation-type.js';
import { type NewUser, type UserRegistration, UsersRepository } from './users.repository.js';

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

/** Code of PostgreSQL for a duplicate key. */
const uniqueViolation = '23505';

/** The columns of each channel. They are named here and nowhere else, and never by a client. */
const columns = {
  email: { address: 'email', confirmedAt: 'email_confirmed_at', pending: 'pending_email' },
  sms: { address: 'phone', confirmedAt: 'phone_confirmed_at', pending: 'pending_phone' },
} as const satisfies Record<Channel, object>;

const findStatements: Readonly<Record<UserKey, string>> = {
  email: findStatement('email'),
  phone: findStatement('phone'),
  pendingEmail: findStatement('pending_email'),
  pendingPhone: findStatement('pending_phone'),
};

/**
 * Timing attack: reads one row and returns as many values whether or not the address is known. The row is the last whose
 * address is not beyond the one asked for: its own, or a stranger's, of which nothing is returned.
 */
function findStatement(column: string): string {
  return `
    SELECT is_found AS "isFound",
      CASE WHEN is_found THEN near.id ELSE '00000000-0000-0000-0000-000000000000' END AS id,
      CASE WHEN is_found THEN near.email ELSE $1 END AS email,
      CASE WHEN is_found THEN near.phone ELSE $1 END AS phone,
      CASE WHEN is_found THEN near.email_confirmed_at ELSE 'epoch' END AS "emailConfirmedAt",
      CASE WHEN is_found THEN near.phone_confirmed_at ELSE 'epoch' END AS "phoneConfirmedAt",
      CASE WHEN is_found THEN near.pending_email END AS "pendingEmail",
      CASE WHEN is_found THEN near.pending_phone END AS "pendingPhone",
      CASE WHEN is_found THEN near.banned_until END AS "bannedUntil",
      CASE WHEN is_found THEN near.metadata ELSE '{}' END AS metadata,
      CASE WHEN is_found THEN near.created_at ELSE 'epoch' END AS "createdAt"
    FROM (SELECT) AS always LEFT JOIN LATERAL (
      SELECT * FROM users WHERE ${column} <= $1
      ORDER BY ${column} DESC, pending_since DESC NULLS LAST, id DESC LIMIT 1
    ) AS near ON true CROSS JOIN LATERAL (SELECT coalesce(near.${column} = $1, false) AS is_found) AS match`;
}

/** The users of Strike Auth itself, in its own database. */
@Injectable()
export class TypeOrmUsersRepository extends UsersRepository implements UserRegistration {
  constructor(
    private readonly transaction: Transaction,
    private readonly clock: Clock,
  ) {
    super();
  }

  /** Plain SQL: every message that is delivered comes through here, and the query builder costs more than the query. */
  async find(key: UserKey, address: string): Promise<User | null> {
    const [row] = await this.transaction.manager.query<(User & { isFound: boolean })[]>(findStatements[key], [
      address,
    ]);
    if (!row) return null;
    const { isFound, ...user } = row;
    return isFound ? user : null;
  }

  findById(id: string): Promise<User | null> {
    return this.transaction.manager.findOneBy(UserEntity, { id });
  }

  async confirm(id: string, channel: Channel, address: string): Promise<User | null> {
    try {
      // A transaction of its own, or a savepoint in the running one: a duplicate must not spoil what came before.
      return await this.transaction.manager.transaction(async (manager) => {
        const [, moved] = await manager.query<[unknown, number]>(confirmStatement(channel), [
          id,
          address,
          new Date(this.clock.now()),
        ]);
        return moved === 0 ? null : await manager.findOneBy(UserEntity, { id });
      });
    } catch (error) {
      if (isUniqueViolation(error)) return null;
      throw error;
    }
  }

  async addIfAbsent(user: NewUser): Promise<void> {
    await this.transaction.manager.query(
      `INSERT INTO users (id, email, phone, password_hash, metadata, created_at)
       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
      [user.id, user.email, user.phone, user.passwordHash, JSON.stringify(user.metadata), user.createdAt],
    );
  }

  requestChange(id: string, channel: Channel, address: string): Promise<User | null> {
    return this.transaction.run(async () => {
      const pending = channel === 'email' ? { pendingEmail: address } : { pendingPhone: address };
      const pendingSince = new Date(this.clock.now());
      await this.transaction.manager.update(UserEntity, { id }, { ...pending, pendingSince });
      return this.findById(id);
    });
  }

  async endChanges(channel: Channel, address: string): Promise<void> {
    await this.transaction.manager.query(endChangesStatement(channel), [address]);
  }
}

/** `$1` the address. */
function endChangesStatement(channel: Channel): string {
  const { pending } = columns[channel];
  const otherPending = columns[channel === 'email' ? 'sms' : 'email'].pending;
  return `
    UPDATE users SET
      ${pending} = NULL, pending_since = CASE WHEN ${otherPending} IS NULL THEN NULL ELSE pending_since END
    WHERE ${pending} = $1`;
}

/** `$1` the user, `$2` the address that is proved, `$3` the time. An address confirmed before keeps its time. */
function confirmStatement(channel: Channel): string {
  const { address, confirmedAt, pending } = columns[channel];
  const otherPending = columns[channel === 'email' ? 'sms' : 'email'].pending;
  return `
    UPDATE users SET
      ${address} = $2,
      ${confirmedAt} = CASE WHEN ${address} = $2 THEN coalesce(${confirmedAt}, $3) ELSE $3 END,
      ${pending} = nullif(${pending}, $2),
      pending_since = CASE WHEN nullif(${pending}, $2) IS NULL AND ${otherPending} IS NULL
                      THEN NULL ELSE pending_since END
    WHERE id = $1 AND (${address} = $2 OR ${pending} = $2)`;
}

function isUniqueViolation(error: unknown): boolean {
  return (
    error instanceof QueryFailedError && (error.driverError as { code?: unknown }).code === uniqueViolation
  );
}
