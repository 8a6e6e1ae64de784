import type { DynamicModule } from '@nestjs/common';
import { MailerModule } from '@nestjs-modules/mailer';
import type { Config } from '../../config.js';
import { SmtpCatcher } from '../../inbox/smtp-catcher.js';
import { mailerOptions } from './mailer-options.js';

/** The mailer, global: towards `SMTP_URL`, or without one towards the catcher of the development inbox. */
export function mailerModule({ smtpUrl }: Config): DynamicModule {
  if (smtpUrl !== undefined) return MailerModule.forRoot(mailerOptions(smtpUrl));
  return MailerModule.forRootAsync({
    imports: [],
    inject: [SmtpCatcher],
    useFactory: (catcher: SmtpCatcher) => mailerOptions(catcher.url),
  });
}
