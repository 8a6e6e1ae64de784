import { Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock.js';
import { Transaction } from '../../database/transaction.js';
import { Outbox } from '../outbox/outbox.js';
import { badToken } from '../tokens/bearer.guard.js';
import { orUnavailable } from '../../http/api-error.js';
import { UserRegistration } from '../users/users.repository.js';
import { UserResponse } from '../users/user.response.js';
import type { MessageRequest } from '../requests/accept-context.js';

/** Records the address that a user wants to have, and asks for its confirmation. Whose it is now is not looked up. */
@Injectable()
export class ChangeAddressService {
  constructor(
    private readonly registration: UserRegistration,
    private readonly outbox: Outbox,
    private readonly transaction: Transaction,
    private readonly clock: Clock,
  ) {}

  /** @throws ApiError 401 when the user of the access token is gone or banned */
  async change(userId: string, message: MessageRequest): Promise<UserResponse> {
    const user = await orUnavailable(() =>
      this.transaction.run(async () => {
        const changing = await this.registration.requestChange(userId, message.channel, message.identifier);
        if (!changing || (changing.bannedUntil?.getTime() ?? 0) > this.clock.now()) throw badToken();
        await this.outbox.acceptInTransaction(message);
        return changing;
      }),
    );
    return UserResponse.of(user);
  }
}
