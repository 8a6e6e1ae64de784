import { DataSource } from 'typeorm';
import { UserEntity } from '../src/auth/users/typeorm-users.repository.js';
import { arrived } from './support/inbox.js';
import { resend } from './support/messages.js';
import { type Probe, scannerCorpus } from './support/scanner-corpus.js';
import { type RunningApp, startApp } from './support/start-app.js';
import { insertUser } from './support/users.js';

const types = ['signup', 'recovery', 'magiclink', 'email_change'] as const;

let count = 0;

/** Somebody with a mail in the inbox, and the link in it, at the address where the service can be reached. */
async function mailed(running: RunningApp, type: (typeof types)[number] = 'signup') {
  const to = `scanned-${(count += 1)}@example.com`;
  const changing = type === 'email_change';
  const email = changing ? `old-${to}` : to;
  const { id } = await insertUser(running, {
    email,
    ...(changing ? { pendingEmail: to, pendingSince: new Date() } : {}),
  });
  const { link } = await arrived(running, to, await resend(running, { type, email }));
  return { id, link: running.url + (link ?? '').slice(new URL(link ?? '').origin.length) };
}

async function send(link: string, { method, headers = {}, mangled = (it) => it, body }: Probe) {
  const answer = await fetch(mangled(link), {
    method,
    headers,
    redirect: 'manual',
    ...(body === undefined ? {} : { body }),
  });
  return { method, status: answer.status, text: await answer.text() };
}

/** What a person's browser posts when the button is pressed. */
async function press(running: RunningApp, link: string): Promise<string> {
  const page = await (await fetch(link)).text();
  const fields = [...page.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]);
  const body = new URLSearchParams(Object.fromEntries(fields) as Record<string, string>);
  const answer = await fetch(`${running.url}/verify`, { method: 'POST', body, redirect: 'manual' });
  expect(answer.status).toBe(303);
  return new URL(answer.headers.get('location') ?? '').hash;
}

describe('A link that is looked at before the person comes', () => {
  let running: RunningApp;

  beforeAll(async () => {
    running = await startApp({ env: { LIMIT_IP: '10000/1s', TRUST_PROXY: '1' } });
  });
  afterAll(() => running.stop());

  const userOf = (id: string) =>
    running.app.get(DataSource).getRepository(UserEntity).findOneByOrFail({ id });

  it.each(scannerCorpus.map((visit, index) => [visit.name, visit, types[index % types.length]] as const))(
    'is good afterwards when %s',
    async (_name, { probes }, type) => {
      const { id, link } = await mailed(running, type);
      const before = await userOf(id);
      for (const probe of probes) {
        const { method, status, text } = await send(link, probe);
        expect([200, 204, 400, 404, 415]).toContain(status);
        expect(text).not.toContain('access_token');
        if (method === 'HEAD') expect(text).toBe('');
      }
      // All together as well, since some ask for everything at once.
      await Promise.all(probes.map((probe) => send(link, probe)));
      expect(await userOf(id)).toEqual(before);
      expect(await press(running, link)).toMatch(/^#access_token=/);
      expect(await userOf(id)).not.toEqual(before);
    },
  );
});

describe('With VERIFY_ON_GET=true', () => {
  let running: RunningApp;

  beforeAll(async () => {
    running = await startApp({ env: { VERIFY_ON_GET: 'true', LIMIT_IP: '10000/1s', TRUST_PROXY: '1' } });
  });
  afterAll(() => running.stop());

  it('a link survives those who ask with HEAD or prefetch, and no others: that is what is given up', async () => {
    const survived: string[] = [];
    for (const { name, probes } of scannerCorpus) {
      const { link } = await mailed(running);
      for (const probe of probes) await send(link, probe);
      const clicked = await fetch(link, { redirect: 'manual' });
      if ((clicked.headers.get('location') ?? '').includes('#access_token=')) survived.push(name);
    }
    expect(survived).toEqual([
      'something in between asks with HEAD, twice on a day',
      'a browser prefetches or prerenders it',
      'a sandbox tries other methods, and posts with nothing of the form',
    ]);
  });
});
