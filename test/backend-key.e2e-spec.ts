import { type RunningApp, startApp } from './support/start-app.js';

const keys = ['first-key-of-32-characters-0123456', 'other-key-of-32-characters-6543210'] as const;

describe("A site's own server that calls for its visitors", () => {
  let running: RunningApp;
  let count = 0;

  beforeAll(async () => {
    running = await startApp({ env: { BACKEND_KEYS: keys.join(','), LIMIT_BACKEND: '12/10m' } });
  });
  afterAll(() => running.stop());

  const ask = (headers: Record<string, string>) =>
    running.http
      .post('/resend')
      .set(headers)
      .send({ type: 'signup', email: `visitor-${(count += 1)}@example.com` });
  const statuses = async (times: number, headersOf: (i: number) => Record<string, string>) => {
    const all: number[] = [];
    for (let i = 0; i < times; i += 1) all.push((await ask(headersOf(i))).status);
    return all;
  };

  it('makes none of eleven people wait for the ten others', async () => {
    const [key] = keys;
    const visitors = (i: number) => ({ 'X-Backend-Key': key, 'X-Client-IP': `203.0.113.${i}` });
    expect(await statuses(11, visitors)).toEqual(Array(11).fill(200));
    const one = { 'X-Backend-Key': key, 'X-Client-IP': '2001:db8::1' };
    const neighbour = { ...one, 'X-Client-IP': '2001:db8::2' };
    expect(await statuses(10, (i) => (i % 2 ? one : neighbour))).toEqual(Array(10).fill(200));
    const refused = await ask(neighbour).expect(429);
    expect(refused.body).toMatchObject({ error_code: 'over_request_rate_limit' });
    expect(refused.headers['ratelimit-policy']).toBe('"ip";q=10;w=600');
  });

  it('has a limit of its own when it names nobody, for each key', async () => {
    for (const key of keys) {
      const own = () => ({ 'X-Backend-Key': key });
      expect(await statuses(12, own)).toEqual(Array(12).fill(200));
      const refused = await ask(own()).expect(429);
      expect(refused.headers['ratelimit-policy']).toBe('"backend";q=12;w=600');
    }
  });

  it('is refused with a wrong key, and counted as the client that it is', async () => {
    running.clock.advance(600_000);
    for (const wrong of ['', 'wrong', `${keys[0]}x`, keys.join(',')]) {
      const answer = await ask({ 'X-Backend-Key': wrong, 'X-Client-IP': '198.51.100.7' }).expect(401);
      expect(answer.body).toMatchObject({ error_code: 'invalid_backend_key' });
      expect(answer.headers['www-authenticate']).toBe('Backend-Key');
    }
    expect((await ask({})).headers['ratelimit']).toMatch(/^"ip";r=5;/);
  });

  it.each(['', 'nobody', '203.0.113.256', '203.0.113.1, 203.0.113.2', 'http://203.0.113.1'])(
    'is told that X-Client-IP is malformed: %j',
    async (address) => {
      running.clock.advance(600_000);
      const answer = await ask({ 'X-Backend-Key': keys[0], 'X-Client-IP': address }).expect(400);
      expect((answer.body as { details: string }).details).toMatch(/^X-Client-IP must be one/);
    },
  );

  it('is a crowd without its key: X-Client-IP is ignored', async () => {
    running.clock.advance(600_000);
    const all = await statuses(11, (i) => ({ 'X-Client-IP': `192.0.2.${i}` }));
    expect(all).toEqual([...Array<number>(10).fill(200), 429]);
  });

  it('opens nothing else', async () => {
    running.clock.advance(600_000);
    const headers = { 'X-Backend-Key': keys[0], Authorization: `Bearer ${keys[0]}` };
    await running.http.get('/admin/messages').set(headers).expect(401);
    await running.http.put('/user').set(headers).send({ email: 'a@example.com' }).expect(401);
  });
});
