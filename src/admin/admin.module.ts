import { type DynamicModule, Module } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Config } from '../config/config.js';
import { MessageDetails, MessageList } from './message-list.js';
import { MessagesController } from './messages.controller.js';
import { Requeue } from './requeue.js';
import { ServiceKeys } from './service-key.guard.js';
import { MessageStats } from './message-stats.js';
import { StatsController } from './stats.controller.js';
import { SuppressionsController } from './suppressions.controller.js';

/** The API for operators, in the processes that answer requests. */
@Module({})
export class AdminModule {
  /** @param auth the one that counts the limits and keeps the suppression list */
  static forRoot(config: Config, auth: DynamicModule): DynamicModule {
    return {
      module: AdminModule,
      imports: [auth],
      controllers:
        config.role === 'worker' ? [] : [MessagesController, SuppressionsController, StatsController],
      providers: [
        ServiceKeys,
        {
          provide: MessageList,
          inject: [DataSource],
          useFactory: (data: DataSource) => new MessageList(data),
        },
        MessageDetails,
        Requeue,
        MessageStats,
      ],
      exports: [ServiceKeys],
    };
  }
}
