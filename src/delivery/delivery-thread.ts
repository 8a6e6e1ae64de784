import { MessagePort, Worker } from 'node:worker_threads';
import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import { type CircuitState, ProviderStates } from '../auth/send/provider-circuits.js';
import type { Config } from '../config/config.js';
import type { EmbeddedDatabase } from '../database/embedded/embedded-database.js';
import type { Log } from '../platform/log.js';
import { Metrics } from '../platform/metrics.js';

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

/** How the main thread asks for the thread's report; an empty one before it has begun. */
export class ThreadReports {
  ask: () => Promise<DeliveryReport> = () => Promise.resolve({ figures: '', states: {} });
}

/** The figures of delivery are the thread's. */
export class ThreadMetrics extends Metrics {
  constructor(private readonly reports: ThreadReports) {
    super();
  }

  override async deliveryText(): Promise<string> {
    return (await this.reports.ask()).figures;
  }
}

/** The states of the providers that the thread asks. */
export class ThreadProviderStates extends ProviderStates {
  constructor(private readonly reports: ThreadReports) {
    super();
  }

  override async read(): Promise<DeliveryReport['states']> {
    return (await this.reports.ask()).states;
  }
}

/** How long a probe or a scrape waits for the thread's report; then the last one counts. */
const reportWithinMs = 1_000;

/**
 * Delivers in a thread of its own, so that no work for a user is on the event loop that answers clients. It is loaded
 * while the rest starts, begins when everything else is there, and stops when the HTTP server has stopped and before
 * the database does.
 */
export class DeliveryThread implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly worker: Worker;
  private readonly ended: Promise<never>;
  private stopping = false;
  private lastReport: DeliveryReport = { figures: '', states: {} };
  private reported: () => void = () => undefined;

  /** @param config of the worker's part */
  constructor(
    config: Config,
    private readonly database: EmbeddedDatabase,
    private readonly reports: ThreadReports,
    private readonly log: Log,
  ) {
    const workerData: ThreadData = { config };
    this.worker = new Worker(new URL('./thread.js', import.meta.url), { workerData, execArgv: [] });
    this.ended = new Promise((_, failed) => {
      this.worker.once('error', failed);
      this.worker.once('exit', (code) => failed(new Error(`The delivery thread has ended (${code})`)));
    });
    // No unhandled rejection: `ended` is awaited below.
    this.ended.catch(() => undefined);
  }

  /** @throws what prevented the start */
  async onApplicationBootstrap(): Promise<void> {
    const ready = new Promise<void>((done) => {
      this.worker.on('message', (message: FromThread) => {
        if (message === 'ready') done();
        else if (message instanceof MessagePort) this.connect(message);
        else this.receive(message);
      });
    });
    this.post('start');
    await Promise.race([ready, this.ended]);
    this.ended.catch((error: unknown) => this.stopService(error));
    this.reports.ask = () => this.report();
  }

  /** The thread finishes what it has in hand first, within the time that the worker gives itself. */
  async onApplicationShutdown(): Promise<void> {
    this.stopping = true;
    this.post('stop');
    await this.ended.catch(() => undefined);
  }

  private post(message: ToThread): void {
    this.worker.postMessage(message);
  }

  private connect(port: MessagePort): void {
    // The other end sees that it is closed, as with a server that is away.
    this.database.serve(port).catch(() => port.close());
  }

  private receive(report: DeliveryReport): void {
    this.lastReport = report;
    const { reported } = this;
    this.reported = () => undefined;
    reported();
  }

  private async report(): Promise<DeliveryReport> {
    await new Promise<void>((resolve) => {
      // An earlier caller waits for the same report.
      const before = this.reported;
      this.reported = () => {
        before();
        resolve();
      };
      this.post('report');
      setTimeout(resolve, reportWithinMs).unref();
    });
    return this.lastReport;
  }

  /** A service that accepts and never delivers would be worse than one that is started again. */
  private stopService(err: unknown): void {
    if (this.stopping) return;
    this.log.fatal({ err }, 'Strike Auth stops, because its delivery thread has');
    process.exit(1);
  }
}
