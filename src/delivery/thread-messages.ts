import type { MessagePort } from 'node:worker_threads';
import type { CircuitState } from '../auth/send/provider-circuit.js';
import type { Config } from '../config.js';

/** What the thread is started with. */
export interface ThreadData {
  readonly config: Config;
}

/** What the thread tells of itself. */
export interface DeliveryReport {
  /** In Prometheus' text format. */
  readonly figures: string;
  /** By the name of the provider. */
  readonly states: Readonly<Record<string, CircuitState>>;
}

/**
 * What the service says to the thread. `start`: the database is there and migrated. `report`: tell of yourself. `stop`:
 * finish what is in hand, and end.
 */
export type ToThread = 'start' | 'report' | 'stop';

/** What the thread says: that it delivers, its report, or one end of a connection to the database. */
export type FromThread = 'ready' | DeliveryReport | MessagePort;
