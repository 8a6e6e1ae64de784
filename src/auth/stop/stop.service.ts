import { Injectable } from '@nestjs/common';
import { Transaction } from '../../database/transaction.js';
import { type StopLink, StopLinks } from '../messages/stop-links.js';
import { StoppedMails } from '../messages/stopped-mails.js';
import { UserRegistration, UsersRepository } from '../users/users.repository.js';

/** Stops the mails of one type to one address, and lets them come again. */
@Injectable()
export class StopService {
  constructor(
    private readonly stopped: StoppedMails,
    private readonly links: StopLinks,
    private readonly users: UsersRepository,
    private readonly registration: UserRegistration,
    private readonly transaction: Transaction,
  ) {}

  until({ key }: StopLink): Promise<Date | null> {
    return this.stopped.until([key]);
  }

  /** A change that waits for this address ends with its mails: whoever reads them has said that it is not wanted. */
  stop(link: StopLink): Promise<void> {
    return this.transaction.run(async () => {
      await this.stopped.stop(link.key);
      if (link.type !== 'email_change') return;
      const address = await this.pendingAddressOf(link);
      if (address !== null) await this.registration.endChanges('email', address);
    });
  }

  takeBack({ key }: StopLink): Promise<void> {
    return this.stopped.takeBack(key);
  }

  /** The link holds no address; the message names the new address or the current one of the person who changes it. */
  private async pendingAddressOf({ type, messageUuid, key }: StopLink): Promise<string | null> {
    const [message] = await this.transaction.manager.query<{ recipient: string }[]>(
      'SELECT recipient FROM messages WHERE id = $1',
      [messageUuid],
    );
    if (!message) return null;
    const user = await this.users.find('email', message.recipient);
    const candidates = [message.recipient, user?.pendingEmail].filter(
      (address) => typeof address === 'string',
    );
    return (
      candidates.find((address) => this.links.keys(type, address).some((known) => known.equals(key))) ?? null
    );
  }
}
