import { type DynamicModule, Global, Module } from '@nestjs/common';
import { AdminModule } from './admin/admin.module.js';
import { authEntities } from './auth/auth.entities.js';
import { AuthModule } from './auth/auth.module.js';
import { ProviderStates } from './auth/send/provider-circuits.js';
import { Clock, SystemClock } from './platform/clock.js';
import { Config } from './config/config.js';
import { embeddedDatabase } from './database/data-source.js';
import { DatabaseModule } from './database/database.module.js';
import { EmbeddedConnections } from './database/embedded/embedded-connections.js';
import { InboxModule } from './inbox/inbox.module.js';
import { KeyedHash } from './platform/keyed-hash.js';
import { LandingController } from './pages/landing.controller.js';
import { Log } from './platform/log.js';
import { HealthController } from './admin/health.controller.js';
import { MetricsController } from './admin/metrics.controller.js';
import { OperationsModule } from './platform/metrics.js';
import { loadSecrets, Secrets } from './config/secrets.js';

/** What another thread of this process has. */
interface Elsewhere {
  readonly embedded?: EmbeddedConnections;
  readonly providerStates?: ProviderStates;
}

/** The wiring diagram. */
@Global()
@Module({})
export class AppModule {
  static forRoot(config: Config, log: Log, { embedded, providerStates }: Elsewhere = {}): DynamicModule {
    const secrets = loadSecrets(config);
    const auth = AuthModule.forRoot(config);
    return {
      module: AppModule,
      imports: [
        DatabaseModule.forRoot(authEntities),
        OperationsModule,
        InboxModule.forRoot(config),
        auth,
        AdminModule.forRoot(config, auth),
      ],
      controllers: [LandingController, HealthController, MetricsController],
      providers: [
        { provide: Config, useValue: config },
        { provide: Log, useValue: log },
        { provide: Secrets, useValue: secrets },
        { provide: KeyedHash, useValue: new KeyedHash(secrets.hashingKey, ...secrets.previousHashingKeys) },
        { provide: Clock, useClass: SystemClock },
        { provide: EmbeddedConnections, useValue: embedded ?? embeddedDatabase(config) },
        ...(providerStates ? [{ provide: ProviderStates, useValue: providerStates }] : []),
      ],
      exports: [Config, Log, Secrets, KeyedHash, Clock, EmbeddedConnections],
    };
  }
}
