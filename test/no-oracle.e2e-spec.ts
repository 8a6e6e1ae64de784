import { randomBytes, randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { type ConfirmationType, confirmationTypes } from '../src/auth/messages/confirmation-type.js';
import { OutboxWorker } from '../src/auth/outbox/outbox.worker.js';
import { PasswordHasher } from '../src/auth/signup/password-hasher.js';
import { SuppressionList, type SuppressionReason } from '../src/auth/messages/suppression-list.js';
import { AccessTokens } from '../src/auth/tokens/access-tokens.js';
import { TokenEntity } from '../src/auth/tokens/token.statements.js';
import type { UserEntity } from '../src/auth/users/typeorm-users.repository.js';
import { Housekeeping } from '../src/housekeeping/housekeeping.js';
import { ask, type BareAnswer, recordStatements } from './support/conversation.js';
import { eventually } from './support/eventually.js';
import { SmsGateway } from './support/sms-gateway.js';
import { ScriptedSmtpServer } from './support/smtp-server.js';
import { type RunningApp, startApp } from './support/start-app.js';
import { insertUser } from './support/users.js';

// What the time tells is proved by `npm run prove:oracle`. Here it is what a client sees, and what the service does
// before it answers: the same for everybody.

const env = { TRUST_PROXY: '1', LIMIT_IP: '10/10m' };
const long = new Date('2026-01-01T00:00:00Z');

/** Null is nobody. */
type Subject = (addresses: { email: string; phone: string }) => Partial<UserEntity> | null;

const confirmedEmail = { emailConfirmedAt: long };
const confirmed = { ...confirmedEmail, phoneConfirmedAt: long };

const subjects: Record<string, Subject> = {
  unknown: () => null,
  unconfirmed: (addresses) => addresses,
  confirmed: (addresses) => ({ ...addresses, ...confirmed }),
  banned: (addresses) => ({ ...addresses, ...confirmed, bannedUntil: new Date('2999-01-01') }),
  'pending change': (addresses) => ({
    ...addresses,
    ...confirmed,
    pendingEmail: `later-${addresses.email}`,
    pendingPhone: `${addresses.phone}9`,
    pendingSince: long,
  }),
  suppressed: (addresses) => ({ ...addresses, ...confirmed }),
  'opted out': (addresses) => ({ ...addresses, ...confirmed }),
  "another's pending address": ({ email, phone }) => ({
    pendingEmail: email,
    pendingPhone: phone,
    pendingSince: long,
  }),
};
/** Who stands on the list of those who get nothing. */
const suppressions: Partial<Record<string, SuppressionReason>> = {
  suppressed: 'hard_bounce',
  'opted out': 'opt_out',
};
const names = Object.keys(subjects).filter((name) => name !== 'unknown');

let count = 0;

/** Addresses of one length, which nobody has asked for before, and a client that has not asked. */
function newAddresses() {
  count += 1;
  const digits = String(count).padStart(6, '0');
  return {
    email: `person-${digits}@example.com`,
    phone: `+1202${digits}`,
    client: `192.0.${count >> 8}.${count & 255}`,
  };
}

async function insertPerson(running: RunningApp, name: string) {
  const addresses = newAddresses();
  const { email, phone } = addresses;
  const user = subjects[name]!({ email, phone });
  const reason = suppressions[name];
  if (reason) {
    const list = running.app.get(SuppressionList, { strict: false });
    await list.add('email', email, reason);
    await list.add('sms', phone, reason);
  }
  return { ...addresses, user: user && (await insertUser(running, user)) };
}

/** The body that asks for one type at the address that it uses. */
function bodyOf(type: ConfirmationType, { email, phone }: { email: string; phone: string }) {
  return type === 'sms' ? { type, phone } : { type, email };
}

/** Everything that one subject makes the service say and ask of its database. */
interface Trace {
  readonly answers: BareAnswer[];
  readonly statements: string[];
}

describe('nobody can tell who somebody is', () => {
  let running: RunningApp;
  let recorded: ReturnType<typeof recordStatements>;

  beforeAll(async () => {
    // Nothing is delivered or swept here, so every statement is the request path's.
    running = await startApp({
      env,
      override: (module) =>
        module.overrideProvider(OutboxWorker).useValue({}).overrideProvider(Housekeeping).useValue({}),
    });
    recorded = recordStatements(running);
  });
  afterAll(() => running.stop());
  afterEach(() => jest.restoreAllMocks());

  async function trace(work: () => Promise<BareAnswer[]>): Promise<Trace> {
    recorded.taken();
    const answers = await work();
    return { answers, statements: recorded.taken() };
  }

  describe.each(confirmationTypes)('by POST /resend of %s', (type) => {
    /** Beyond the quota, so that what is left and when it is over is seen at each step. */
    async function wholeQuota(name: string): Promise<Trace> {
      const { client, ...person } = await insertPerson(running, name);
      const body = bodyOf(type, person);
      return trace(async () => {
        const answers = [];
        for (let i = 0; i < 5; i++) answers.push(await ask(running, { path: '/resend', body, client }));
        return answers;
      });
    }

    /** The same key with the same body, with another body, and a second key. */
    async function keys(name: string): Promise<Trace> {
      const { client, ...person } = await insertPerson(running, name);
      const body = bodyOf(type, person);
      const other = { ...body, type: type === 'sms' ? 'signup' : type === 'signup' ? 'recovery' : 'signup' };
      const key = { 'Idempotency-Key': randomUUID() };
      return trace(async () => [
        await ask(running, { path: '/resend', body, client, headers: key }),
        await ask(running, { path: '/resend', body, client, headers: key }),
        await ask(running, { path: '/resend', body: other, client, headers: key }),
        await ask(running, { path: '/resend', body, client, headers: { 'Idempotency-Key': randomUUID() } }),
      ]);
    }

    it('answers and asks its database alike over the whole quota', async () => {
      const unknown = await wholeQuota('unknown');
      const left = type === 'sms' ? 2 : 3;
      expect(unknown.answers.map(({ status }) => status)).toEqual(
        [200, 200, 200, 429, 429, 429].slice(3 - left, 8 - left),
      );
      expect(unknown.statements).toHaveLength(left);
      for (const name of names) expect({ name, ...(await wholeQuota(name)) }).toEqual({ name, ...unknown });
    });

    it('treats an Idempotency-Key alike', async () => {
      const unknown = await keys('unknown');
      expect(unknown.answers.map(({ status }) => status)).toEqual([200, 200, 422, 200]);
      expect(unknown.statements.length).toBeGreaterThan(3);
      for (const name of names) expect({ name, ...(await keys(name)) }).toEqual({ name, ...unknown });
    });
  });

  it.each(['email', 'phone'] as const)('by POST /signup with a taken %s', async (field) => {
    const hash = jest.spyOn(PasswordHasher.prototype, 'hash');
    const signUp = async (name: string) => {
      const { client, [field]: address } = await insertPerson(running, name);
      const body = { [field]: address, password: 'correct horse battery', data: { name: 'Ada' } };
      hash.mockClear();
      const traced = await trace(async () => [
        await ask(running, { path: '/signup', body, client }),
        await ask(running, { path: '/signup', body, client }),
      ]);
      return { ...traced, hashed: hash.mock.calls.length };
    };
    const free = await signUp('unknown');
    expect(free.answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(free.hashed).toBe(2);
    expect(free.statements).toContain('COMMIT');
    for (const name of names) expect({ name, ...(await signUp(name)) }).toEqual({ name, ...free });
  });

  describe.each(confirmationTypes)('by wrong codes at POST /verify for %s', (type) => {
    async function guesses(name: string, liveCodes: number): Promise<Trace> {
      const { client, user, ...person } = await insertPerson(running, name);
      if (user) {
        const recipient = type === 'sms' ? person.phone : person.email;
        for (let i = 0; i < liveCodes; i++) await insertCode(user.id, type, recipient);
      }
      const body = { ...bodyOf(type, person), token: '000000' };
      return trace(async () => {
        const answers = [];
        for (let i = 0; i < 7; i++) answers.push(await ask(running, { path: '/verify', body, client }));
        return answers;
      });
    }

    function insertCode(userId: string, purpose: ConfirmationType, recipient: string) {
      return running.app
        .get(DataSource)
        .getRepository(TokenEntity)
        .insert({
          id: randomUUID(),
          userId,
          purpose,
          recipient,
          linkHash: null,
          // Of a code that nobody can guess.
          codeHash: randomBytes(32),
          codeSeed: randomUUID(),
          expiresAt: new Date('2999-01-01'),
        });
    }

    it('answers and asks its database alike, with a live code or without', async () => {
      const unknown = await guesses('unknown', 0);
      expect(unknown.answers.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403, 429, 429]);
      for (const name of names)
        for (const liveCodes of [0, 1, 3])
          expect({ name, liveCodes, ...(await guesses(name, liveCodes)) }).toEqual({
            name,
            liveCodes,
            ...unknown,
          });
    });
  });

  it.each(confirmationTypes)(
    'by guesses at %s that name a message, or come from the client that asked for one',
    async (type) => {
      const guesses = async (name: string) => {
        const { client, ...person } = await insertPerson(running, name);
        const body = bodyOf(type, person);
        const asked = running.http.post('/resend').set('X-Forwarded-For', client).send(body);
        const { message_id } = (await asked.expect(200)).body as { message_id: string };
        const guess = { ...body, token: '000000' };
        return trace(async () => {
          const answers = [];
          for (const named of [{ message_id }, {}, { message_id: 'msg_0198c0ffee7b7c1e9d1f2a3b4c5d6e7f' }])
            for (let i = 0; i < 6; i++)
              answers.push(await ask(running, { path: '/verify', body: { ...guess, ...named }, client }));
          return answers;
        });
      };
      const unknown = await guesses('unknown');
      const told = unknown.answers.map(
        ({ status, body }) => (JSON.parse(body) as { attempts_left?: number }).attempts_left ?? status,
      );
      // By name; then five of the asker and five of anybody.
      expect(told).toEqual([4, 3, 2, 1, 0, 0, ...Array.from({ length: 10 }, () => 403), 429, 429]);
      for (const name of names) expect({ name, ...(await guesses(name)) }).toEqual({ name, ...unknown });
    },
  );

  it('by guesses under a name of who waits for an address at which there have been enough', async () => {
    const wanted = newAddresses().email;
    await insertUser(running, { email: newAddresses().email, pendingEmail: wanted, pendingSince: long });
    const guesses = async (user: Partial<UserEntity> | null) => {
      const { client, email } = newAddresses();
      if (user) await insertUser(running, { email, ...confirmedEmail, ...user });
      const body = { type: 'email_change', email, token: '000000' };
      return trace(async () => {
        const answers = [];
        for (let i = 0; i < 7; i++) answers.push(await ask(running, { path: '/verify', body, client }));
        return answers;
      });
    };
    for (let i = 0; i < 5; i++) {
      const body = { type: 'email_change', email: wanted, token: '000000' };
      await ask(running, { path: '/verify', body, client: newAddresses().client });
    }
    const unknown = await guesses(null);
    expect(unknown.answers.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403, 429, 429]);
    expect(await guesses({ pendingEmail: wanted, pendingSince: long })).toEqual(unknown);
    expect(await guesses({ pendingEmail: newAddresses().email, pendingSince: long })).toEqual(unknown);
  });

  it('by PUT /user towards a taken address', async () => {
    const owner = await insertUser(running, { email: 'owner@example.com', emailConfirmedAt: long });
    const { access_token: jwt } = await running.app.get(AccessTokens).issue(owner);
    const change = async (name: string) => {
      // An account has a quota: what was used up before has left it.
      running.clock.advance(300_000);
      const { client, email } = await insertPerson(running, name);
      const headers = { Authorization: `Bearer ${jwt}` };
      return trace(async () => [
        await ask(running, { method: 'PUT', path: '/user', body: { email }, client, headers }),
      ]);
    };
    const free = await change('unknown');
    expect(free.answers).toMatchObject([{ status: 200 }]);
    for (const name of names) expect({ name, ...(await change(name)) }).toEqual({ name, ...free });
  });
});

interface Providers {
  readonly smtp: ScriptedSmtpServer;
  readonly gateway: SmsGateway;
}

const slowMs = 300;
const troubles: [trouble: string, begin: (providers: Providers) => void | Promise<void>][] = [
  [
    'refuse for good',
    ({ smtp, gateway }) => {
      smtp.refuseAt('rcpt', 550);
      gateway.answerWith(422);
    },
  ],
  [
    'refuse for now',
    ({ smtp, gateway }) => {
      smtp.refuseAt('rcpt', 451);
      gateway.answerWith(503);
    },
  ],
  [
    'are slow',
    ({ smtp, gateway }) => {
      smtp.dawdleAt('rcpt', slowMs);
      gateway.answer = (response) => void setTimeout(() => response.writeHead(200).end('{}'), slowMs);
    },
  ],
  [
    'hang',
    ({ smtp, gateway }) => {
      smtp.hangAt('rcpt');
      gateway.answer = null;
    },
  ],
  [
    'hang up',
    ({ smtp, gateway }) => {
      smtp.hangUpAt('mail');
      gateway.answer = (response) => {
        response.destroy();
      };
    },
  ],
  [
    'are away',
    async ({ smtp, gateway }) => {
      await Promise.all([smtp.stop(), gateway.stop()]);
    },
  ],
];
/** Of each type somebody who gets its message. */
const recipients: Record<ConfirmationType, string> = {
  signup: 'unconfirmed',
  recovery: 'confirmed',
  magiclink: 'confirmed',
  email_change: 'pending change',
  sms: 'confirmed',
};

// A service for each trouble: what is left of one, such as a provider that is left alone, must not shorten the next.
describe.each(troubles)(
  'nobody can tell what becomes of a message when the providers %s',
  (trouble, begin) => {
    let running: RunningApp;
    let providers: Providers;

    beforeAll(async () => {
      const [smtp, gateway] = [await ScriptedSmtpServer.start(), await SmsGateway.start()];
      providers = { smtp, gateway };
      const SMS_WEBHOOK_SECRET = `whsec_${randomBytes(32).toString('base64')}`;
      running = await startApp({
        env: { ...env, SMTP_URL: smtp.url, SMS_WEBHOOK_URL: gateway.url, SMS_WEBHOOK_SECRET },
      });
      await begin(providers);
    });
    afterAll(async () => {
      // First, so that nothing in hand waits for them.
      if (trouble !== 'are away') await Promise.all([providers.smtp.stop(), providers.gateway.stop()]);
      await running.stop();
    });

    /** Whether the message has come as far as a provider, or waits because there is none that works. */
    async function hasMetTrouble(type: ConfirmationType, userId: string): Promise<boolean> {
      const tokens = running.app.get(DataSource).getRepository(TokenEntity);
      const isWaiting = running.logLines.some(
        (line) => line['type'] === type && line['status'] === 'waiting',
      );
      return isWaiting || (await tokens.existsBy({ userId }));
    }

    /** The whole quota, and a key and what comes of it, while a first message is in trouble. */
    async function conversations(type: ConfirmationType, name: string): Promise<BareAnswer[]> {
      const answers = [];
      for (const withKey of [false, true]) {
        const { client, user, ...person } = await insertPerson(running, name);
        const body = bodyOf(type, person);
        const headers = withKey ? { 'Idempotency-Key': randomUUID() } : {};
        const request = { path: '/resend', body, client };
        answers.push(await ask(running, { ...request, headers }));
        if (user) await eventually('trouble', () => hasMetTrouble(type, user.id));
        answers.push(await ask(running, { ...request, headers }));
        const other = { ...body, redirect_to: 'http://localhost:0/other' };
        answers.push(await ask(running, { ...request, body: other, headers }));
        answers.push(await ask(running, request));
      }
      return answers;
    }

    it.each(confirmationTypes)('by POST /resend of %s, with an Idempotency-Key or without', async (type) => {
      const unknown = await conversations(type, 'unknown');
      expect(unknown.map(({ status }) => status)).toEqual([
        ...(type === 'sms' ? [200, 200, 429, 429] : [200, 200, 200, 429]),
        ...[200, 200, 422, 200],
      ]);
      expect(await conversations(type, recipients[type])).toEqual(unknown);
      for (const name of ['banned', 'suppressed']) {
        const { client, ...person } = await insertPerson(running, name);
        const answer = await ask(running, { path: '/resend', body: bodyOf(type, person), client });
        expect(answer).toEqual(unknown[0]);
      }
    });
  },
);
