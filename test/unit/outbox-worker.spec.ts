import { QueryFailedError } from 'typeorm';
import type { Notifications } from '../../src/database/notifications.js';
import { createLog } from '../../src/platform/log.js';
import { Metrics } from '../../src/platform/metrics.js';
import { readConfig } from '../../src/config/config.js';
import type { ClaimedMessage, Delivery } from '../../src/auth/messages/delivery.js';
import { MessageProcessor } from '../../src/auth/outbox/message-processor.js';
import type { MessageQueue } from '../../src/auth/outbox/message-queue.js';
import type { Outbox } from '../../src/auth/outbox/outbox.js';
import { OutboxWorker } from '../../src/auth/outbox/outbox.worker.js';
import type { ResendService } from '../../src/auth/send/resend.service.js';
import { eventually } from '../support/eventually.js';
import { TestClock } from '../support/test-clock.js';

let mockTimeoutPasses = (): void => undefined;

// Pauses take no time here, except the one in which a stopping worker waits for what it has in hand.
jest.mock('node:timers/promises', () => ({
  setTimeout: (_ms: number, _value: unknown, options?: { ref?: boolean }) =>
    options?.ref === false
      ? new Promise<void>((resolve) => (mockTimeoutPasses = resolve))
      : new Promise(setImmediate),
}));

const message = {
  id: '0198c0ff-ee7b-7c1e-9d1f-2a3b4c5d6e7f',
  type: 'signup',
  channel: 'email',
  recipient: 'user@example.com',
  attempts: 1,
} as ClaimedMessage;
const sent: Delivery = { outcome: { status: 'sent' }, tries: [] };

/** A queue that has one message, and whose database is away when outcomes are to be written. */
class QueueInTrouble {
  readonly held: string[][] = [];
  refusals = 0;
  readonly settled: unknown[] = [];

  constructor(
    public refusalsLeft: number,
    private readonly error = new Error('away'),
  ) {}

  claim(_max: number, inHand: readonly ClaimedMessage[]): Promise<ClaimedMessage[]> {
    this.held.push(inHand.map(({ id }) => id));
    return Promise.resolve(this.held.length === 1 ? [message] : []);
  }

  renew(): Promise<void> {
    return Promise.reject(new Error('away'));
  }

  settle(_message: ClaimedMessage, outcome: unknown): Promise<void> {
    if (this.refusalsLeft-- > 0) {
      this.refusals++;
      return Promise.reject(this.error);
    }
    this.settled.push(outcome);
    return Promise.resolve();
  }
}

function workerOf(queue: QueueInTrouble): OutboxWorker {
  const config = readConfig({ NODE_ENV: 'test', LOG_LEVEL: 'silent' });
  const log = createLog(config);
  const messages = queue as unknown as MessageQueue;
  const service = { deliver: () => Promise.resolve(sent) } as unknown as ResendService;
  return new OutboxWorker(
    messages,
    { isBusy: false } as Outbox,
    new MessageProcessor(messages, service, new Metrics(), log),
    { subscribe: () => Promise.resolve(() => Promise.resolve()) } as unknown as Notifications,
    new TestClock(),
    log,
  );
}

describe('the outcome of a message', () => {
  it('is kept until it can be written down, and the message is not claimed again meanwhile', async () => {
    const queue = new QueueInTrouble(300);
    const worker = workerOf(queue);
    await worker.onApplicationBootstrap();
    await eventually('many refusals', () => queue.refusals > 100);
    worker.wake();
    await eventually('another look', () => queue.held.length > 1);
    expect(queue.held[1]).toEqual([message.id]);
    await eventually('the outcome', () => queue.settled.length === 1);
    expect(queue.settled).toEqual([{ status: 'sent' }]);
    await worker.onModuleDestroy();
  });

  it('is given up when the database answers, again and again, that it does not take it', async () => {
    const refusal = Object.assign(new Error('value too long'), { code: '22001' });
    const queue = new QueueInTrouble(Infinity, new QueryFailedError('UPDATE', [], refusal));
    const worker = workerOf(queue);
    await worker.onApplicationBootstrap();
    await eventually('many refusals', () => queue.refusals === 30);
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect(queue.refusals).toBe(30);
    worker.wake();
    await eventually('another look', () => queue.held.length > 1);
    expect(queue.held[1]).toEqual([]);
    await worker.onModuleDestroy();
  });

  it('is given up by a worker that stops, when it cannot be written down in time', async () => {
    const queue = new QueueInTrouble(Infinity);
    const worker = workerOf(queue);
    await worker.onApplicationBootstrap();
    await eventually('a refusal', () => queue.refusals > 0);
    const before = queue.refusals;
    const stopped = worker.onModuleDestroy();
    await eventually('more refusals while it stops', () => queue.refusals > before + 10);
    mockTimeoutPasses();
    await stopped;
    const { refusals } = queue;
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect(queue.refusals).toBeLessThanOrEqual(refusals + 1);
    expect(queue.settled).toEqual([]);
  });
});
