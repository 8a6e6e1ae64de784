import { type DynamicModule, Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { DataSourceOptions } from 'typeorm';
import { Config } from '../config/config.js';
import { createDataSource, dataSourceOptions, type Entities } from './data-source.js';
import { EmbeddedConnections } from './embedded/embedded-connections.js';
import { Notifications, PgNotifications } from './notifications.js';
import { Transaction } from './transaction.js';

/** The database, embedded or PostgreSQL as `Config` says. Shuts down with the application. */
@Global()
@Module({
  providers: [Transaction, { provide: Notifications, useClass: PgNotifications }],
  exports: [Transaction, Notifications],
})
export class DatabaseModule {
  static forRoot(entities: Entities): DynamicModule {
    return {
      module: DatabaseModule,
      imports: [
        TypeOrmModule.forRootAsync({
          inject: [Config, EmbeddedConnections],
          useFactory: (config: Config, embedded: EmbeddedConnections) => ({
            ...dataSourceOptions(config, entities, embedded),
            // PostgreSQL may start together with this service; the embedded database is part of it.
            retryAttempts: config.databaseUrl ? 30 : 0,
            retryDelay: 1_000,
          }),
          dataSourceFactory: async (options) => createDataSource(options as DataSourceOptions),
        }),
      ],
    };
  }
}
