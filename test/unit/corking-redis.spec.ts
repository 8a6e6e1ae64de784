import { CorkingRedis } from '../../src/rate-limit/redis-sliding-log.storage.js';
import { describeWithRedis, RedisServer } from '../support/redis-server.js';

describeWithRedis('commands of one turn of the event loop', () => {
  let server: RedisServer;
  let redis: CorkingRedis;
  let written: jest.SpyInstance;

  beforeEach(async () => {
    server = await RedisServer.start();
    redis = new CorkingRedis(server.url, { lazyConnect: true });
    await redis.connect();
    written = jest.spyOn(redis.stream, 'uncork');
  });
  afterEach(async () => {
    redis.disconnect();
    await server.stop();
  });

  const count = (times: number) => Promise.all(Array.from({ length: times }, () => redis.incr('count')));
  const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

  it('are written together at its end', async () => {
    const answers = count(15);
    expect(written).not.toHaveBeenCalled();
    expect(await answers).toEqual(upTo(15));
    expect(written).toHaveBeenCalledTimes(1);
  });

  it('are written sixteen at a time when there are more, and the rest at its end', async () => {
    const answers = count(40);
    expect(written).toHaveBeenCalledTimes(2);
    expect(await answers).toEqual(upTo(40));
    expect(written).toHaveBeenCalledTimes(3);
  });

  it('are written once when there are just as many', async () => {
    expect(await count(16)).toEqual(upTo(16));
    expect(await count(1)).toEqual([17]);
    expect(written).toHaveBeenCalledTimes(2);
  });

  it('go over the next connection after the one before was lost', async () => {
    const lost = count(3);
    redis.stream.destroy();
    await Promise.allSettled([lost]);
    await redis.set('count', 0);
    expect(await count(3)).toEqual(upTo(3));
  });
});
