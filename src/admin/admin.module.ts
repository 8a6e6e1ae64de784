import { type DynamicModule, Module } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { SuppressionList } from '../auth/status/suppression-list.js';
import type { Config } from '../config.js';
import { MessageDetails } from './messages/message-details.js';
import { MessageList } from './messages/message-list.js';
import { MessagesController } from './messages/messages.controller.js';
import { Requeue } from './messages/requeue.js';
import { ServiceKeys } from './service-keys.js';
import { MessageStats } from './stats/message-stats.js';
import { StatsController } from './stats/stats.controller.js';
import { Suppressions } from './suppressions/suppressions.js';
import { SuppressionsController } from './suppressions/suppressions.controller.js';

/** What operators may do, in the processes that answer requests. */
@Module({})
export class AdminModule {
  /** @param auth the one that counts the limits */
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
        SuppressionList,
        Suppressions,
        MessageStats,
      ],
      exports: [ServiceKeys],
    };
  }
}
