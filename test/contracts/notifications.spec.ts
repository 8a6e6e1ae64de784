import pg from 'pg';
import type { DataSource } from 'typeorm';
import { type Notifications, PgNotifications } from '../../src/database/notifications.js';
import { eventually } from '../support/eventually.js';
import { openDatabase, type OpenDatabase } from '../support/open-database.js';
import { databaseKinds } from '../support/services.js';

/** Counts what it hears; a publication that must not be heard is followed by one on the channel `fence`. */
async function listen(notifications: Notifications, channel: string) {
  const heard = { count: 0, unsubscribe: () => Promise.resolve() };
  heard.unsubscribe = await notifications.subscribe(channel, () => heard.count++);
  return heard;
}

describe.each(databaseKinds)('Notifications on %s', (kind) => {
  let database: OpenDatabase;
  let notifications: PgNotifications;
  let another: PgNotifications;

  beforeEach(async () => {
    database = await openDatabase(kind);
    notifications = new PgNotifications(database.dataSource);
    another = new PgNotifications(database.dataSource);
  });

  afterEach(async () => {
    await another.beforeApplicationShutdown();
    await notifications.beforeApplicationShutdown();
    await database.close();
  });

  async function passFence(): Promise<void> {
    const fence = await listen(notifications, 'fence');
    notifications.publish('fence');
    await eventually('the fence', () => fence.count > 0);
  }

  it('reach every subscriber of the channel, also those of other instances', async () => {
    const subscribers = [
      await listen(notifications, 'work'),
      await listen(notifications, 'work'),
      await listen(another, 'work'),
    ];
    const stranger = await listen(another, 'leisure');

    another.publish('work');

    for (const subscriber of subscribers) await eventually('the notification', () => subscriber.count === 1);
    await passFence();
    expect(stranger.count).toBe(0);
  });

  it('are merged when they come faster than they can be sent, and the last one is never lost', async () => {
    const subscriber = await listen(another, 'work');
    const sent = jest.spyOn(database.dataSource, 'query');

    for (let i = 0; i < 1_000; i++) notifications.publish('work');

    await eventually('two notifications', () => subscriber.count === 2);
    await passFence();
    expect(
      sent.mock.calls.filter(([, parameters]) => (parameters as unknown[]).includes('work')),
    ).toHaveLength(2);
  });

  it('are not heard any more after unsubscribing, while others go on', async () => {
    const leaving = await listen(notifications, 'work');
    const staying = await listen(notifications, 'work');

    await leaving.unsubscribe();
    another.publish('work');

    await eventually('the notification', () => staying.count === 1);
    expect(leaving.count).toBe(0);
  });

  it('never throw at the publisher, even when there is no database any more', async () => {
    const broken = new PgNotifications({
      query: () => Promise.reject(new Error('away')),
    } as unknown as DataSource);

    expect(() => {
      broken.publish('work');
      broken.publish('work');
    }).not.toThrow();
  });
});

const onPostgres = databaseKinds.includes('postgresql') ? describe : describe.skip;

onPostgres('Notifications when PostgreSQL hangs up', () => {
  it('come again by themselves, and each handler is called once because something may have been missed', async () => {
    const { dataSource, close } = await openDatabase('postgresql');
    const notifications = new PgNotifications(dataSource);
    const subscriber = await listen(notifications, 'work');

    const { rows } = await hangUpOnListeners(dataSource);
    expect(rows).toHaveLength(1);

    await eventually('the call after the reconnection', () => subscriber.count === 1);
    notifications.publish('work');
    await eventually('the next notification', () => subscriber.count === 2);
    await notifications.beforeApplicationShutdown();
    await close();
  });
});

async function hangUpOnListeners(dataSource: DataSource) {
  const admin = new pg.Client({ connectionString: (dataSource.options as { url: string }).url });
  await admin.connect();
  const result = await admin.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'`,
  );
  await admin.end();
  return result;
}
