import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { UserEntity } from '../../src/auth/users/typeorm-users.repository.js';
import type { RunningApp } from './start-app.js';

/** Puts a user into the database as they might have come to be, and returns the row. */
export async function insertUser(
  { app }: Pick<RunningApp, 'app'>,
  fields: Partial<UserEntity>,
): Promise<UserEntity> {
  const user = {
    id: randomUUID(),
    email: null,
    phone: null,
    passwordHash: '-',
    emailConfirmedAt: null,
    phoneConfirmedAt: null,
    pendingEmail: null,
    pendingPhone: null,
    pendingSince: null,
    bannedUntil: null,
    metadata: {},
    createdAt: new Date(),
    ...fields,
  };
  await app.get(DataSource).getRepository(UserEntity).save(user);
  return user;
}
