import { type DynamicModule, Module } from '@nestjs/common';
import type { Config } from '../config/config.js';
import { MailCatcher } from '../auth/vendors/smtp/mailer.module.js';
import { Inbox } from './inbox.js';
import { InboxController } from './inbox.controller.js';
import { SmtpCatcher } from './smtp-catcher.js';

/** The development inbox; empty where there is none, and then nothing answers at `/inbox`. A worker only sends to it. */
@Module({})
export class InboxModule {
  static forRoot(config: Config): DynamicModule {
    if (!config.inbox || config.role === 'worker') return { module: InboxModule };
    return {
      module: InboxModule,
      // The mailer is a module of its own and asks for the catcher.
      global: true,
      controllers: [InboxController],
      providers: [
        Inbox,
        // Listening already when it is handed out: the mailer needs its port before any hook of the application runs.
        { provide: MailCatcher, inject: [Inbox], useFactory: (inbox: Inbox) => SmtpCatcher.start(inbox) },
      ],
      exports: [MailCatcher],
    };
  }
}
