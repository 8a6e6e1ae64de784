import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock.js';
import { Transaction } from '../../database/transaction.js';
import { Outbox } from '../outbox/outbox.js';
import { orUnavailable } from '../../http/api-error.js';
import { UserRegistration } from '../users/users.repository.js';
import { UserResponse } from '../users/user.response.js';
import { PasswordHasher } from './password-hasher.js';
import type { MessageRequest } from '../requests/accept-context.js';
import type { SignUpDto } from './sign-up.dto.js';

/** Adds users. It never learns whether an address is taken: the same statements run, and the request is the answer. */
@Injectable()
export class SignUpService {
  constructor(
    private readonly passwords: PasswordHasher,
    private readonly registration: UserRegistration,
    private readonly outbox: Outbox,
    private readonly transaction: Transaction,
    private readonly clock: Clock,
  ) {}

  /** The user and the first confirmation are committed together, or neither is. */
  async signUp(dto: SignUpDto, message: MessageRequest): Promise<UserResponse> {
    const { email = null, phone = null, data = {} } = dto;
    const user = {
      id: randomUUID(),
      email,
      phone,
      passwordHash: await this.passwords.hash(dto.password),
      metadata: data,
      createdAt: new Date(this.clock.now()),
    };
    await orUnavailable(() =>
      this.transaction.run(async () => {
        await this.registration.addIfAbsent(user);
        await this.outbox.acceptInTransaction(message);
      }),
    );
    return UserResponse.of({
      ...user,
      emailConfirmedAt: null,
      phoneConfirmedAt: null,
      pendingEmail: null,
      pendingPhone: null,
      bannedUntil: null,
    });
  }
}
