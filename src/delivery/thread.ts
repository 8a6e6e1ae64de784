import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import 'reflect-metadata';
import { AppModule } from '../app.module.js';
import { ProviderStates } from '../auth/send/provider-circuits.js';
import { EmbeddedConnections, RemoteConnections } from '../database/embedded/embedded-connections.js';
import { createLog, NestLog } from '../platform/log.js';
import { Metrics } from '../platform/metrics.js';
import { lowerPriority } from './lower-priority.js';
import type { FromThread, ThreadData, ToThread } from './delivery-thread.js';

// The thread of `DeliveryThread`: the worker's part of the application, without a server. What it cannot do ends it, and
// the other side says so. Everything above is loaded while the rest of the service starts.

const service = parentPort as MessagePort;
const { config } = workerData as ThreadData;
let app: INestApplicationContext | undefined;

const handle: Record<ToThread, () => Promise<void>> = {
  async start() {
    if (process.platform === 'linux') lowerPriority();
    const log = createLog(config);
    app = await NestFactory.createApplicationContext(
      AppModule.forRoot(config, log, [
        { provide: EmbeddedConnections, useValue: new RemoteConnections(service) },
      ]),
      { abortOnError: false, logger: new NestLog(log) },
    );
    post('ready');
  },
  async report() {
    if (!app) return;
    const [figures, states] = await Promise.all([
      app.get(Metrics).deliveryText(),
      app.get(ProviderStates, { strict: false }).read(),
    ]);
    post({ figures, states });
  },
  async stop() {
    await app?.close();
    process.exit(0);
  },
};

service.on('message', (message: ToThread) => void handle[message]());

function post(message: FromThread): void {
  service.postMessage(message);
}
