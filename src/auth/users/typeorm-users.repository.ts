import { Injectable } from '@nestjs/common';
import { QueryFailedError } from 'typeorm';
import { Clock } from '../../clock.js';
import { Transaction } from '../../database/transaction.js';
import type { Channel } from '../confirmation-type.js';
import type { NewUser, UserRegistration } from './user-registration.js';
import { UserEntity } from './user.entity.js';
import type { User, UserKey } from './user.js';
import { UsersRepository } from './users.repository.js';

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
 * One row in any case, of as many values for nobody as for somebody: reading them takes time, and who waits for an answer
 * must not learn from it.
 */
function findStatement(column: string): string {
  return `
    SELECT found.id IS NOT NULL AS "isFound", coalesce(found.id, '00000000-0000-0000-0000-000000000000') AS id,
      CASE WHEN found.id IS NULL THEN $1 ELSE found.email END AS email,
      CASE WHEN found.id IS NULL THEN $1 ELSE found.phone END AS phone,
      CASE WHEN found.id IS NULL THEN 'epoch' ELSE found.email_confirmed_at END AS "emailConfirmedAt",
      CASE WHEN found.id IS NULL THEN 'epoch' ELSE found.phone_confirmed_at END AS "phoneConfirmedAt",
      found.pending_email AS "pendingEmail", found.pending_phone AS "pendingPhone",
      found.banned_until AS "bannedUntil", coalesce(found.metadata, '{}') AS metadata,
      coalesce(found.created_at, 'epoch') AS "createdAt"
    FROM (SELECT) AS always LEFT JOIN LATERAL (
      SELECT * FROM users WHERE ${column} = $1 ORDER BY pending_since DESC NULLS LAST, id DESC LIMIT 1
    ) AS found ON true`;
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
