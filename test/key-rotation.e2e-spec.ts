import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { decodeProtectedHeader } from 'jose';
import { lendTestDatabase, type TestDatabase } from './support/database.js';
import { SuppressionList } from '../src/auth/messages/suppression-list.js';
import { arrived, type InboxMessage } from './support/inbox.js';
import { ended, resend } from './support/messages.js';
import { services } from './support/services.js';
import { type RunningApp, startApp } from './support/start-app.js';
import { insertUser } from './support/users.js';

function newKeys() {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    hashing: randomBytes(32).toString('base64'),
    signing: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

const old = newKeys();
const next = newKeys();
/** The keys of the environment: the current ones first. */
const keys = (...all: (typeof old)[]) => ({
  HASHING_KEY: all.map(({ hashing }) => hashing).join(','),
  SIGNING_KEY: all.map(({ signing }) => signing).join(''),
});
const site = 'https://app.example.com';

let database: TestDatabase;
let count = 0;

beforeAll(async () => {
  database = await lendTestDatabase();
});
afterAll(() => database.drop());

const start = (env: Record<string, string>) =>
  startApp({ database, env: { ...env, REDIRECT_ALLOW_LIST: site, LIMIT_IP: '10000/1s' } });

type App = Pick<RunningApp, 'app' | 'http'>;

async function insertPerson(app: App): Promise<string> {
  const { email } = await insertUser(app, { email: `key-${(count += 1)}@example.com` });
  return email ?? '';
}

async function resent(app: App, email: string, type = 'signup'): Promise<InboxMessage> {
  const { body } = await app.http.post('/resend').send({ type, email }).expect(200);
  return arrived(app, email, (body as { message_id: string }).message_id);
}

const tokenIn = ({ link }: InboxMessage) => new URL(link ?? '').searchParams.get('token') ?? '';
const useLink = (app: App, message: InboxMessage) =>
  app.http.post('/verify').send({ type: 'signup', token: tokenIn(message) });
const useCode = (app: App, email: string, code: string) =>
  app.http.post('/verify').send({ type: 'signup', email, token: code });
const useToken = (app: App, token: string) =>
  app.http
    .put('/user')
    .set('Authorization', `Bearer ${token}`)
    .send({ email: `changed-${(count += 1)}@example.com` });
const otherCode = (code: string) => code.replace(/^./, (digit) => String((Number(digit) + 1) % 10));

async function signedIn(app: App): Promise<string> {
  const email = await insertPerson(app);
  const { code } = await resent(app, email);
  const { body } = await useCode(app, email, code).expect(200);
  return (body as { access_token: string }).access_token;
}

async function kids(app: App): Promise<string[]> {
  const { body } = await app.http.get('/.well-known/jwks.json').expect(200);
  return (body as { keys: { kid: string }[] }).keys.map(({ kid }) => kid);
}

/** A link, a code and an access token, each of somebody else. */
async function issue(app: App) {
  const [byLink, byCode] = [await insertPerson(app), await insertPerson(app)];
  return {
    link: await resent(app, byLink),
    email: byCode,
    code: (await resent(app, byCode)).code,
    token: await signedIn(app),
  };
}

async function statusesOf(app: App, { link, email, code, token }: Awaited<ReturnType<typeof issue>>) {
  return {
    link: (await useLink(app, link)).status,
    code: (await useCode(app, email, code)).status,
    token: (await useToken(app, token)).status,
  };
}

const good = { link: 200, code: 200, token: 200 };
const refused = { link: 403, code: 403, token: 401 };

describe('What was sent out before the keys were changed', () => {
  let used: Awaited<ReturnType<typeof issue>>;
  let late: Awaited<ReturnType<typeof issue>>;
  let waiting: { email: string; code: string };
  let guessed: { email: string; code: string };
  let accepted: { email: string; key: string; messageId: string };
  let bounced: string;
  let unwanted: string;
  let oldKids: string[];

  const endOfNext = async (app: App, email: string) =>
    ended(app, await resend(app, { type: 'signup', email }));

  const retry = (app: App, { email, key }: { email: string; key: string }) =>
    app.http.post('/resend').set('Idempotency-Key', key).send({ type: 'signup', email }).expect(200);

  beforeAll(async () => {
    const app = await start(keys(old));
    [used, late] = [await issue(app), await issue(app)];
    const email = await insertPerson(app);
    waiting = { email, code: (await resent(app, email)).code };
    const target = await insertPerson(app);
    guessed = { email: target, code: (await resent(app, target)).code };
    for (let i = 0; i < 5; i += 1) await useCode(app, target, otherCode(guessed.code)).expect(403);
    const asked = { email: await insertPerson(app), key: randomUUID() };
    const { body } = await retry(app, asked);
    accepted = { ...asked, messageId: (body as { message_id: string }).message_id };
    [bounced, unwanted] = [await insertPerson(app), await insertPerson(app)];
    const list = app.app.get(SuppressionList);
    await list.add('email', bounced, 'hard_bounce');
    await list.add('email', unwanted, 'complaint');
    oldKids = await kids(app);
    await app.stop();
  });

  describe('is still good while the previous keys are known', () => {
    let app: RunningApp;

    beforeAll(async () => {
      app = await start(keys(next, old));
    });
    afterAll(() => app.stop());

    it('a link, a code and an access token', async () => {
      expect(await statusesOf(app, used)).toEqual(good);
    });

    it('the code that a resend repeats', async () => {
      const message = await resent(app, waiting.email);
      expect(message.code).toBe(waiting.code);
      await useLink(app, message).expect(200);
    });

    it('the suppression list', async () => {
      const suppressed = { status: 'dropped', reason: 'suppressed' };
      expect(await endOfNext(app, bounced)).toMatchObject(suppressed);
    });

    it('but what counts for minutes begins anew: wrong codes and idempotency keys', async () => {
      await useCode(app, guessed.email, guessed.code).expect(200);
      const { body, headers } = await retry(app, accepted);
      expect(body).not.toEqual({ message_id: accepted.messageId });
      expect(headers['idempotency-replayed']).toBeUndefined();
    });

    it('and both public keys are published, the one that signs now first', async () => {
      const published = await kids(app);
      expect(new Set(published).size).toBe(2);
      expect(published[1]).toBe(oldKids[0]);
      const token = await signedIn(app);
      expect(decodeProtectedHeader(token).kid).toBe(published[0]);
      await useToken(app, token).expect(200);
    });
  });

  it('is refused once the previous keys are dropped', async () => {
    const app = await start(keys(next));
    expect(await statusesOf(app, late)).toEqual(refused);
    const [kid, ...others] = await kids(app);
    expect(others).toEqual([]);
    expect(oldKids).not.toContain(kid);
    expect(await statusesOf(app, await issue(app))).toEqual(good);
    await app.stop();
  });

  it('still keeps an address from messages if it was asked for in the meantime, and forgets it otherwise', async () => {
    const app = await start(keys(next));
    expect(await endOfNext(app, bounced)).toMatchObject({ status: 'dropped', reason: 'suppressed' });
    expect(await endOfNext(app, unwanted)).toMatchObject({ status: 'sent' });
    await app.stop();
  });
});

// The embedded database serves one process only.
if (services.database === 'postgresql') {
  describe('Instances side by side during the change', () => {
    const onlyOld = keys(old);
    const announcing = keys(old, next);
    const switched = keys(next, old);
    const onlyNext = keys(next);

    it.each([
      ['when the next keys are announced', onlyOld, announcing],
      ['when the keys are switched', announcing, switched],
      ['when the previous keys are dropped', switched, onlyNext],
    ])('honour what the other one issues, %s', async (_when, before, after) => {
      for (const [issuing, using] of [
        [before, after],
        [after, before],
      ] as const) {
        const issuer = await start(issuing);
        // It delivers nothing, so that it is the other one whose keys are in the messages.
        const user = await start({ ...using, ROLE: 'api', SMTP_URL: 'smtp://127.0.0.1:1' });
        expect(await statusesOf(user, await issue(issuer))).toEqual(good);
        await user.stop();
        await issuer.stop();
      }
    });
  });
}
