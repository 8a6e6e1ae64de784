import type { Provider } from '@nestjs/common';
import { Housekeeping, Sweeper } from '../housekeeping/housekeeping.js';
import { FinishedMessages } from './messages/finished-messages.js';
import { ExpiredTokens } from './tokens/expired-tokens.js';

/** In the order in which they sweep. */
const sweepers = [FinishedMessages, ExpiredTokens];

/** For processes that deliver; they have no client waiting, or one process does it all. */
export const housekeepingProviders: Provider[] = [
  ...sweepers,
  { provide: Sweeper, inject: sweepers, useFactory: (...made: Sweeper[]) => made },
  Housekeeping,
];
