import { type DynamicModule, Global, Module } from '@nestjs/common';
import { AdminModule } from './admin/admin.module.js';
import { authEntities } from './auth/auth.entities.js';
import { AuthModule } from './auth/auth.module.js';
import { ProviderStates } from './auth/send/provider-states.js';
import { Clock, SystemClock } from './clock.js';
import { Config } from './config.js';
import { embeddedDatabase } from './database/data-source.js';
import { DatabaseModule } from './database/database.module.js';
import { EmbeddedConnections } from './database/embedded/embedded-connections.js';
import { InboxModule } from './inbox/inbox.module.js';
import { KeyedHash } from './keyed-hash.js';
import { LandingModule } from './landing/landing.module.js';
import { Log } from './log.js';
import { HealthController } from './operations/health.controller.js';
import { MetricsController } from './operations/metrics.controller.js';
import { OperationsModule } from './operations/operations.module.js';
import { loadSecrets, Secrets } from './secrets.js';

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
        LandingModule,
      ],
      controllers: [HealthController, MetricsController],
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
