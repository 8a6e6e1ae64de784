import { type DynamicModule, Global, Module, type Provider } from '@nestjs/common';
import { AdminModule } from './admin/admin.module.js';
import { authEntities } from './auth/auth.entities.js';
import { AuthModule } from './auth/auth.module.js';
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
import { Metrics } from './platform/metrics.js';
import { loadSecrets, Secrets } from './config/secrets.js';

/** The wiring diagram. */
@Global()
@Module({})
export class AppModule {
  /** @param overrides take the place of the providers here */
  static forRoot(config: Config, log: Log, overrides: readonly Provider[] = []): DynamicModule {
    const secrets = loadSecrets(config);
    const auth = AuthModule.forRoot(config);
    return {
      module: AppModule,
      imports: [
        DatabaseModule.forRoot(authEntities),
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
        { provide: EmbeddedConnections, useFactory: () => embeddedDatabase(config) },
        Metrics,
        ...overrides,
      ],
      exports: [Config, Log, Secrets, KeyedHash, Clock, EmbeddedConnections, Metrics],
    };
  }
}
