import { randomBytes } from 'node:crypto';
import { LinkStates } from '../src/auth/tokens/link-states.js';
import { errorBodies } from './support/error-bodies.js';
import { arrived, type InboxMessage } from './support/inbox.js';
import { resend } from './support/messages.js';
import { type RunningApp, startApp } from './support/start-app.js';
import { insertUser } from './support/users.js';

const site = 'https://app.example.com';
const hours = 3_600_000;
const wordsOf = {
  signup: 'Your email address is already confirmed',
  recovery: 'Your address is already confirmed',
  magiclink: 'You have already signed in with this mail',
  email_change: 'Your new email address is already confirmed',
} as const;
type LinkType = keyof typeof wordsOf;

describe('The page behind a link', () => {
  let running: RunningApp;
  let count = 0;

  beforeAll(async () => {
    const env = {
      REDIRECT_ALLOW_LIST: site,
      CORS_ORIGINS: site,
      LIMIT_IP: '10000/1s',
      LIMIT_EMAIL: '50/1s',
    };
    running = await startApp({ env });
  });
  afterAll(() => running.stop());

  async function mailed(type: LinkType = 'signup'): Promise<InboxMessage> {
    const address = `page-${(count += 1)}@example.com`;
    const email = type === 'email_change' ? `old-${address}` : address;
    const pending = type === 'email_change' ? { pendingEmail: address, pendingSince: new Date() } : {};
    await insertUser(running, { email, ...pending });
    const body = { type, email, redirect_to: `${site}/done` };
    return arrived(running, address, await resend(running, body));
  }

  const pathOf = ({ link }: InboxMessage) => (link ?? '').slice(new URL(link ?? '').origin.length);
  const open = (path: string) => running.http.get(path).set('Accept', 'text/html,*/*;q=0.8');
  const fieldsOf = (html: string) =>
    Object.fromEntries(
      [...html.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]),
    ) as Record<string, string>;
  const press = (fields: object) => running.http.post('/verify').type('form').send(fields);

  it.each(Object.entries(wordsOf))(
    'says of a used %s link what has happened, on reload, Back, another click or a prefetch',
    async (type, words) => {
      const message = await mailed(type as LinkType);
      const path = pathOf(message);
      const page = await open(path).expect(200);
      expect(page.text).not.toContain(words);
      const done = await press(fieldsOf(page.text)).expect(303);
      expect(done.headers['location']).toContain(`${site}/done#access_token=`);
      for (const headers of [{}, { 'Cache-Control': 'no-cache' }, { 'Sec-Purpose': 'prefetch' }]) {
        const again = await open(path).set(headers).expect(200);
        expect(again.text).toContain(`<h1>${words}</h1>`);
        expect(again.text).toContain(`<a href="${site}/done">`);
        expect(again.text).not.toMatch(/<button|<form/);
        expect(again.headers['cache-control']).toBe('no-store');
        expect(again.headers['content-security-policy']).toContain(`form-action 'none';`);
        expect(again.headers['content-security-policy']).toContain(`script-src 'none';`);
      }
    },
  );

  it('answers a second press of the button as the documentation says, and its page says that the first one worked', async () => {
    const path = pathOf(await mailed());
    const fields = fieldsOf((await open(path)).text);
    const presses = await Promise.all([press(fields), press(fields)]);
    const outcomes = presses.map(({ headers }) => new URL(headers['location'] as string).hash.split('=')[0]);
    expect(outcomes.sort()).toEqual(['#access_token', '#error']);
    expect((await open(path).expect(200)).text).toContain(wordsOf.signup);
  });

  it('says the same of the link when it was the code that was typed, and of the links of earlier mails', async () => {
    const first = await mailed();
    const email = first.to;
    const second = await arrived(running, email, await resend(running, { type: 'signup', email }));
    await running.http.post('/verify').send({ type: 'signup', email, token: second.code }).expect(200);
    for (const message of [first, second]) {
      expect((await open(pathOf(message)).expect(200)).text).toContain(wordsOf.signup);
    }
  });

  it('says of an expired and of an unknown link the same, byte for byte, and what to do now', async () => {
    const path = pathOf(await mailed());
    running.clock.advance(24 * hours);
    const expired = await open(path).expect(200);
    const unknown = await open(path.replace(/token=[^&]+/, `token=${randomBytes(32).toString('base64url')}`));
    expect(expired.text).toContain('<h1>This link is no longer valid</h1>');
    expect(expired.text).toContain('Ask for a new mail');
    expect(unknown.text).toBe(expired.text);
    expect(unknown.status).toBe(expired.status);
    const fixed = ({ headers }: typeof expired) => {
      const own = ['date', 'x-request-id'];
      return Object.entries(headers as Record<string, string>).filter(([name]) => !own.includes(name));
    };
    expect(fixed(unknown)).toEqual(fixed(expired));
  });

  it('speaks the language that the browser asks for, and says so', async () => {
    const path = pathOf(await mailed());
    const german = await open(path).set('Accept-Language', 'de-AT,de;q=0.9,en;q=0.5').expect(200);
    expect(german.text).toContain('<html lang="de">');
    expect(german.text).toContain('Meine Adresse bestätigen');
    expect(german.headers['content-language']).toBe('de');
    const others = await open(path).set('Accept-Language', 'fr').expect(200);
    expect(others.headers['content-language']).toBe('en');
    await press(fieldsOf(german.text)).expect(303);
    const used = await open(path).set('Accept-Language', 'de').expect(200);
    expect(used.text).toContain('Ihre E-Mail-Adresse ist bereits bestätigt');
    const broken = await open('/verify').set('Accept-Language', 'de').expect(400);
    expect(broken.text).toContain('Dieser Link ist unvollständig');
    for (const { headers } of [german, others, used, broken]) {
      // One cache entry for each language and, because of CORS, for each origin.
      expect(headers['vary']).toBe('Origin, Accept-Language');
    }
  });

  describe('that another site posts', () => {
    it.each<[string, Record<string, string>]>([
      ['by its browser', { 'Sec-Fetch-Site': 'cross-site' }],
      ['from a neighbouring host', { 'Sec-Fetch-Site': 'same-site', Origin: 'https://evil.example' }],
      ['in an older browser', { Origin: 'https://evil.example' }],
      ['out of a sandbox', { Origin: 'null' }],
      ['with a page that a Referer names', { Referer: 'https://evil.example/verify' }],
    ])('%s, is shown again and consumes nothing', async (_how, headers) => {
      const path = pathOf(await mailed());
      const page = await open(path).expect(200);
      const fields = fieldsOf(page.text);
      const again = await press(fields).set(headers).expect(200);
      expect(again.text).toBe(page.text);
      expect(again.headers['content-security-policy']).toBe(page.headers['content-security-policy']);
      expect(again.headers['location']).toBeUndefined();
      const done = await press(fields).set('Sec-Fetch-Site', 'same-origin').expect(303);
      expect(done.headers['location']).toContain('#access_token=');
    });

    it('with a code, signs nobody in', async () => {
      const { to: email, code: token } = await mailed();
      const fields = { type: 'signup', email, token };
      const foreign = await press(fields).set('Sec-Fetch-Site', 'cross-site').expect(400);
      expect(foreign.text).toContain('This link is incomplete');
      await running.http.post('/verify').send(fields).expect(200);
    });
  });

  describe('when something else goes wrong', () => {
    const html = { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

    it('shows a person a page and a program the usual error', async () => {
      const form = () => running.http.post('/verify').type('form');
      const page = await form().set(html).send({ type: 'signup' }).expect(400);
      expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
      expect(page.text).toContain('This link is incomplete');
      expect((await form().send({ type: 'signup' }).expect(400)).body).toMatchObject({
        details: 'Token is required',
      });
      const json = await running.http.post('/verify').set(html).send({ type: 'signup' }).expect(400);
      expect(json.body).toMatchObject({ details: 'Token is required' });
      const large = await form()
        .set(html)
        .send({ type: 'signup', token: 'x'.repeat(20_000) })
        .expect(413);
      expect(large.text).toContain('<h1>');
    });

    it('tells a person who types codes into a form how long to wait', async () => {
      const guess = { type: 'signup', email: 'guessing@example.com', token: '000000' };
      for (let i = 0; i < 5; i += 1) await press(guess).set(html).expect(303);
      const refused = await press(guess).set(html).expect(429);
      expect(refused.text).toContain('Too many attempts');
      expect(refused.headers['retry-after']).toBe('600');
      expect((await press(guess).expect(429)).body).toEqual(
        errorBodies.tooManyRequests('over_verify_limit', 600),
      );
    });

    it('asks for patience when the database is away, and says nothing about the link', async () => {
      const away = jest.spyOn(running.app.get(LinkStates), 'of').mockRejectedValue(new Error('gone'));
      try {
        const link = '/verify?type=signup&token=x';
        const page = await running.http.get(link).set(html).expect(503);
        expect(page.text).toContain('This does not work just now');
        expect(page.headers['retry-after']).toBe('5');
        expect((await running.http.get(link).expect(503)).body).toEqual(errorBodies.unavailable);
        expect(running.logLines.some(({ level }) => level === 'error' || level === 50)).toBe(true);
      } finally {
        away.mockRestore();
      }
    });
  });
});
