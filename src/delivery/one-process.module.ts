import { type DynamicModule, Module } from '@nestjs/common';
import { AppModule } from '../app.module.js';
import { ProviderStates } from '../auth/send/provider-circuits.js';
import type { Config } from '../config/config.js';
import { embeddedDatabase } from '../database/data-source.js';
import { EmbeddedConnections } from '../database/embedded/embedded-connections.js';
import { MailCatcher } from '../auth/vendors/smtp/mailer.module.js';
import type { Log } from '../platform/log.js';
import { Metrics } from '../platform/metrics.js';
import { DeliveryThread, ThreadMetrics, ThreadProviderStates, ThreadReports } from './delivery-thread.js';

/** `ROLE=all`: the api's part in this thread, the worker's part in another. */
@Module({})
export class OneProcessModule {
  static forRoot(config: Config, log: Log): DynamicModule {
    const database = embeddedDatabase(config);
    const reports = new ThreadReports();
    return {
      module: OneProcessModule,
      imports: [
        AppModule.forRoot(Object.assign({}, config, { role: 'api' as const }), log, [
          { provide: EmbeddedConnections, useValue: database },
          { provide: Metrics, useValue: new ThreadMetrics(reports) },
          { provide: ProviderStates, useValue: new ThreadProviderStates(reports) },
        ]),
      ],
      providers: [
        {
          provide: DeliveryThread,
          inject: [{ token: MailCatcher, optional: true }],
          useFactory(catcher?: MailCatcher) {
            const smtpUrls = catcher ? [catcher.url] : config.smtpUrls;
            const worker = Object.assign({}, config, { role: 'worker' as const, smtpUrls });
            return new DeliveryThread(worker, database, reports, log);
          },
        },
      ],
    };
  }
}
