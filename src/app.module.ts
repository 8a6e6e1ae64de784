import { type DynamicModule, Global, Module } from '@nestjs/common';
import { AuthModule } from './auth/auth.module.js';
import { Clock, SystemClock } from './clock.js';
import { Config } from './config.js';
import { DatabaseModule } from './database/database.module.js';
import { InboxModule } from './inbox/inbox.module.js';
import { KeyedHash } from './keyed-hash.js';
import { LandingModule } from './landing/landing.module.js';
import { Log } from './log.js';
import { HealthController } from './operations/health.controller.js';
import { OperationsModule } from './operations/operations.module.js';
import { loadSecrets, Secrets } from './secrets.js';

/** The wiring diagram. */
@Global()
@Module({})
export class AppModule {
  static forRoot(config: Config, log: Log): DynamicModule {
    const secrets = loadSecrets(config);
    return {
      module: AppModule,
      imports: [
        DatabaseModule,
        OperationsModule,
        InboxModule.forRoot(config),
        AuthModule.forRoot(config),
        LandingModule,
      ],
      controllers: [HealthController],
      providers: [
        { provide: Config, useValue: config },
        { provide: Log, useValue: log },
        { provide: Secrets, useValue: secrets },
        { provide: KeyedHash, useValue: new KeyedHash(secrets.hashingKey, ...secrets.previousHashingKeys) },
        { provide: Clock, useClass: SystemClock },
      ],
      exports: [Config, Log, Secrets, KeyedHash, Clock],
    };
  }
}
