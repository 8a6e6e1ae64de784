import { type DynamicModule, Module } from '@nestjs/common';
import { AppModule } from '../app.module.js';
import type { Config } from '../config/config.js';
import { embeddedDatabase } from '../database/data-source.js';
import { MailCatcher } from '../auth/vendors/smtp/mailer.module.js';
import type { Log } from '../platform/log.js';
import { Metrics } from '../platform/metrics.js';
import { DeliveryThread, ThreadProviderStates } from './delivery-thread.js';

/** `ROLE=all`: the api's part in this thread, the worker's part in another. */
@Module({})
export class OneProcessModule {
  static forRoot(config: Config, log: Log): DynamicModule {
    const database = embeddedDatabase(config);
    const states = new ThreadProviderStates();
    return {
      module: OneProcessModule,
      imports: [
        AppModule.forRoot(part(config, { role: 'api' }), log, { embedded: database, providerStates: states }),
      ],
      providers: [
        {
          provide: DeliveryThread,
          inject: [Metrics, { token: MailCatcher, optional: true }],
          useFactory: (metrics: Metrics, catcher?: MailCatcher) =>
            new DeliveryThread(
              part(config, { role: 'worker', smtpUrls: catcher ? [catcher.url] : config.smtpUrls }),
              database,
              metrics,
              states,
              log,
            ),
        },
      ],
    };
  }
}

function part(config: Config, own: Pick<Config, 'role'> & Partial<Pick<Config, 'smtpUrls'>>): Config {
  return Object.freeze(Object.assign({}, config, own));
}
