import { runInNewContext } from 'node:vm';
import { type RunningApp, startApp } from './support/start-app.js';

describe('GET /', () => {
  let running: RunningApp;

  beforeAll(async () => {
    running = await startApp();
  });
  afterAll(() => running.stop());

  it('says that the service runs and where to look, under a strict policy', async () => {
    const page = await running.http.get('/').expect(200);
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(page.headers['content-security-policy']).not.toContain('unsafe');
    expect(page.headers['cache-control']).toBe('no-store');
    for (const path of ['/docs', '/inbox', '/health/ready']) expect(page.text).toContain(`href="${path}"`);
    expect(page.text).toContain('<html lang="en">');
    expect(page.text).toContain('src="/landing.js"');
  });

  it('leads to no inbox where there is none', async () => {
    const other = await startApp({ env: { SMTP_URL: 'smtp://127.0.0.1:2525' } });
    const page = await other.http.get('/').expect(200);
    expect(page.text).not.toContain('/inbox');
    await other.stop();
  });

  /** The script as a browser would run it on the page with this fragment. */
  async function shownFor(hash: string) {
    const script = await running.http.get('/landing.js').expect(200);
    expect(script.headers['content-type']).toBe('text/javascript; charset=utf-8');
    const outcome = { textContent: '' };
    const visited: string[] = [];
    runInNewContext(script.text, {
      URLSearchParams,
      location: { hash, pathname: '/', search: '?a=1' },
      history: { replaceState: (_state: unknown, _title: string, url: string) => visited.push(url) },
      document: { getElementById: (id: string) => (id === 'outcome' ? outcome : null) },
    });
    return { text: outcome.textContent, visited };
  }

  it.each([
    ['#access_token=x&type=signup', 'Your address is confirmed.'],
    ['#access_token=x&type=toString', 'Your address is confirmed.'],
    ['#access_token=x&type=email_change', 'Your new address is confirmed.'],
    ['#error=access_denied&error_code=otp_expired', 'Token has expired or is invalid.'],
    ['#error=x&error_description=Send+money', 'The confirmation did not work.'],
  ])('says how it went for %s and removes the fragment', async (hash, expected) => {
    const { text, visited } = await shownFor(hash);
    expect(text.startsWith(expected)).toBe(true);
    expect(text).not.toContain('money');
    expect(visited).toEqual(['/?a=1']);
  });

  it('says nothing without an outcome', async () => {
    expect(await shownFor('#section')).toEqual({ text: '', visited: [] });
  });
});
