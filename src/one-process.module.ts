import { type DynamicModule, Module } from '@nestjs/common';
import { AppModule } from './app.module.js';
import type { Config } from './config.js';
import { embeddedDatabase } from './database/data-source.js';
import { DeliveryThread } from './delivery/delivery-thread.js';
import { ThreadProviderStates } from './delivery/thread-provider-states.js';
import { SmtpCatcher } from './inbox/smtp-catcher.js';
import type { Log } from './log.js';
import { Metrics } from './operations/metrics.js';

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
          inject: [Metrics, { token: SmtpCatcher, optional: true }],
          useFactory: (metrics: Metrics, catcher?: SmtpCatcher) =>
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
