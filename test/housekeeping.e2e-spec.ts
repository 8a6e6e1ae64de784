import { Housekeeping } from '../src/housekeeping/housekeeping.js';
import { insertMessages, messageAt, operatorOf, serviceKey } from './support/operator.js';
import { services } from './support/services.js';
import { startApp } from './support/start-app.js';

const day = 24 * 3_600_000;
const env = { SERVICE_KEY: serviceKey, RETENTION: '2d' };

it('keeps what an operator can look up for as long as RETENTION says', async () => {
  const running = await startApp({ env });
  try {
    const now = running.clock.now();
    const [overdue, young] = [messageAt(now - 2 * day), messageAt(now - 2 * day + 1)];
    await insertMessages(running, [overdue, young]);
    expect(await running.app.get(Housekeeping).sweep()).toMatchObject({ messages: 1 });
    await operatorOf(running).get(`/admin/messages/${overdue.id}`).expect(404);
    await operatorOf(running).get(`/admin/messages/${young.id}`).expect(200);
    await operatorOf(running).post(`/admin/messages/${overdue.id}/retry`).expect(404);
  } finally {
    await running.stop();
  }
});

if (services.database === 'postgresql') {
  it.each([
    ['api', 401, false],
    ['worker', 404, true],
  ])('a process with ROLE=%s answers operators with %i, and sweeps: %s', async (role, status, sweeps) => {
    const running = await startApp({ env: { ...env, ROLE: role, SMTP_URL: 'smtp://127.0.0.1:9' } });
    try {
      await running.http.get('/admin/messages').expect(status);
      await running.http.get('/metrics').expect(401);
      await operatorOf(running).get('/metrics').expect(200);
      const find = () => running.app.get(Housekeeping, { strict: false });
      if (sweeps) expect(find()).toBeInstanceOf(Housekeeping);
      else expect(find).toThrow();
    } finally {
      await running.stop();
    }
  });
}
