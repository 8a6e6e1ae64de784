import type { DynamicModule } from '@nestjs/common';
import { MailerModule } from '@nestjs-modules/mailer';
import type { Config } from '../../config.js';
import { SmtpCatcher } from '../../inbox/smtp-catcher.js';
import { mailerOptions } from './mailer-options.js';
import { smtpServers } from './smtp-servers.js';

/** The mailer, global: towards the servers of `SMTP_URL`, or without any towards the catcher of the development inbox. */
export function mailerModule({ smtpUrls }: Config): DynamicModule {
  if (smtpUrls.length > 0) return MailerModule.forRoot(mailerOptions(smtpServers(smtpUrls)));
  return MailerModule.forRootAsync({
    imports: [],
    inject: [SmtpCatcher],
    useFactory: (catcher: SmtpCatcher) => mailerOptions(smtpServers([catcher.url])),
  });
}
