import { Inject, Injectable } from '@nestjs/common';
import { NotificationProvider } from '../../send/notification-provider.js';
import { nameIn } from './report-fields.js';
import type { ReportedEvent } from './reported-event.js';

/**
 * Who hands mail to the outside. A vendor of mail reports under its own name, but it was reached over SMTP, and the name
 * that it gave to a mail stands with the carrier that got it.
 */
@Injectable()
export class EmailCarriers {
  private readonly names: readonly string[];

  constructor(@Inject(NotificationProvider) providers: readonly NotificationProvider[]) {
    this.names = providers.filter(({ channel }) => channel === 'email').map(({ name }) => name);
  }

  receipt(id: unknown): ReportedEvent['receipt'] {
    const name = nameIn(id);
    return name === null ? null : { id: name, providers: this.names };
  }
}
