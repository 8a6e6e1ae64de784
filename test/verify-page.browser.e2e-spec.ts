import type { Browser, BrowserContextOptions, Request } from 'playwright-core';
import { DataSource } from 'typeorm';
import { UserEntity } from '../src/auth/users/typeorm-users.repository.js';
import { launchBrowser, openPage, type Visit } from './support/browser.js';
import { eventually } from './support/eventually.js';
import { contrastsOf } from './support/contrast.js';
import { arrived } from './support/inbox.js';
import { resend } from './support/messages.js';
import { freePort } from './support/free-port.js';
import { type RunningApp, startApp } from './support/start-app.js';
import { insertUser } from './support/users.js';

let running: RunningApp;
let browser: Browser;
let base: string;
let count = 0;

beforeAll(async () => {
  const port = String(await freePort());
  base = `http://localhost:${port}`;
  running = await startApp({ env: { PORT: port, LIMIT_IP: '10000/1s' } });
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser.close();
  await running.stop();
});

/** Somebody who has just been sent a link. */
async function mailed(): Promise<{ email: string; link: string }> {
  const email = `reader-${(count += 1)}@example.com`;
  await insertUser(running, { email });
  const message = await arrived(running, email, await resend(running, { type: 'signup', email }));
  return { email, link: message.link ?? '' };
}

const isConfirmed = async (email: string) => {
  const user = await running.app.get(DataSource).getRepository(UserEntity).findOneByOrFail({ email });
  return user.emailConfirmedAt !== null;
};

const confirmButton = 'Confirm my address';
const alreadyConfirmed = 'Your email address is already confirmed';

async function used(): Promise<string> {
  const { link } = await mailed();
  const { page } = await openPage(browser, link);
  await page.getByRole('button', { name: confirmButton }).click();
  await page.waitForURL((url) => url.pathname === '/');
  await page.context().close();
  return link;
}

const pages: [name: string, url: () => Promise<string>, headings: Record<string, string>][] = [
  [
    'with the button',
    async () => (await mailed()).link,
    { en: 'Confirm your email address', de: 'E-Mail-Adresse bestätigen' },
  ],
  ['of a used link', used, { en: alreadyConfirmed, de: 'Ihre E-Mail-Adresse ist bereits bestätigt' }],
  [
    'of an unknown link',
    () => Promise.resolve(`${base}/verify?type=signup&token=x`),
    { en: 'This link is no longer valid', de: 'Dieser Link ist nicht mehr gültig' },
  ],
  [
    'of a broken link',
    () => Promise.resolve(`${base}/verify`),
    { en: 'This link is incomplete', de: 'Dieser Link ist unvollständig' },
  ],
];

describe.each(pages)('The page %s', (name, urlOf, headings) => {
  it.each([
    ['en', 'light'],
    ['en', 'dark'],
    ['de', 'light'],
    ['de', 'dark'],
  ] as const)('is fit for everybody in %s and %s, on a narrow screen too', async (language, colorScheme) => {
    const viewport = { width: 320, height: 480 };
    const locale = language === 'de' ? 'de-DE' : 'en-GB';
    const visit = await openPage(browser, await urlOf(), { locale, colorScheme, viewport });
    const { page, complaints, requests } = visit;
    expect(await page.locator('html').getAttribute('lang')).toBe(language);
    expect(await page.getByRole('heading').allInnerTexts()).toEqual([headings[language]]);
    expect(await page.title()).toBe(headings[language]);
    expect(await page.getByRole('main').count()).toBe(1);

    const contrasts = await contrastsOf(page);
    expect(contrasts.length).toBeGreaterThan(1);
    expect(contrasts.filter(({ ratio }) => ratio < 4.5)).toEqual([]);
    // WCAG 2.2, 1.4.10: no scrolling sideways at 320 CSS pixels.
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(320);

    expect(requests.map((request) => new URL(request.url()).origin)).toEqual([base]);
    const expected = name === 'of a broken link' ? /400/ : /^$/;
    for (const complaint of complaints) expect(complaint).toMatch(expected);
    await page.context().close();
  });
});

describe('The button', () => {
  it('is the first stop of the keyboard, shows that it has the focus, and works with Enter', async () => {
    const { email, link } = await mailed();
    const { page, complaints } = await openPage(browser, link);
    await page.keyboard.press('Tab');
    const button = page.getByRole('button', { name: confirmButton, exact: true });
    expect(await button.and(page.locator(':focus')).count()).toBe(1);
    expect(await page.evaluate('getComputedStyle(document.activeElement).outline')).toMatch(/solid 3px/);
    // WCAG 2.2, 2.5.5: 44 CSS pixels for a finger.
    expect((await button.boundingBox())?.height).toBeGreaterThanOrEqual(44);
    expect(await isConfirmed(email)).toBe(false);
    await page.keyboard.press('Enter');
    await page.getByText('Your address is confirmed.').waitFor();
    expect(await isConfirmed(email)).toBe(true);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it.each<[string, BrowserContextOptions]>([
    ['with JavaScript', {}],
    ['without', { javaScriptEnabled: false }],
  ])('leads to the end %s, and Back and reload then say so', async (_how, options) => {
    const { email, link } = await mailed();
    const { page, complaints } = await openPage(browser, link, options);
    const answered = page.waitForResponse((response) => response.status() === 303);
    await page.getByRole('button', { name: confirmButton }).click();
    expect((await answered).headers()['location']).toContain(`${base}/#access_token=`);
    await page.waitForURL((url) => url.pathname === '/');
    expect(await isConfirmed(email)).toBe(true);

    await page.goBack();
    await page.getByRole('heading', { name: alreadyConfirmed }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: alreadyConfirmed }).waitFor();
    await page.goto(link);
    await page.getByRole('link', { name: /^Go on to localhost/ }).click();
    await page.getByRole('heading', { name: 'Strike Auth is running' }).waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  const posts = (requests: readonly Request[]) => requests.filter((request) => request.method() === 'POST');

  /** Presses twice, and holds the answers back in the database until that has led to so many posts. */
  async function pressTwice({ page, requests }: Visit, expected: number): Promise<void> {
    const { x, y } = (await page.getByRole('button', { name: confirmButton }).boundingBox()) ?? {
      x: 0,
      y: 0,
    };
    const holding = running.app.get(DataSource).createQueryRunner();
    await holding.startTransaction();
    try {
      await holding.query('SELECT FROM tokens FOR UPDATE');
      // By the mouse itself: a click of the browser's driver would wait until the first press has led somewhere.
      await page.mouse.click(x + 20, y + 20);
      await eventually('the first post', () => posts(requests).length === 1);
      await page.mouse.click(x + 20, y + 20);
      await eventually('all posts', () => posts(requests).length === expected);
    } finally {
      await holding.commitTransaction();
      await holding.release();
    }
  }

  it('posts once when it is pressed twice', async () => {
    const { email, link } = await mailed();
    const visit = await openPage(browser, link);
    const { page, complaints, requests } = visit;
    await pressTwice(visit, 1);
    await page.getByText('Your address is confirmed.').waitFor();
    expect(posts(requests)).toHaveLength(1);
    expect(await isConfirmed(email)).toBe(true);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('says with its form which site it stands on, also to tell browsers that know no other word for it', async () => {
    const { link } = await mailed();
    const { page, requests } = await openPage(browser, link);
    await page.getByRole('button', { name: confirmButton }).click();
    await page.waitForURL((url) => url.pathname === '/');
    const [post] = posts(requests);
    expect(await post?.allHeaders()).toMatchObject({ origin: base, 'sec-fetch-site': 'same-origin' });
    await page.context().close();
  });

  it('is not pressed by a page of another site that posts the form by itself', async () => {
    const { email, link } = await mailed();
    const { page } = await openPage(browser, 'data:text/html,<title>Win a prize</title>');
    const token = new URL(link).searchParams.get('token') ?? '';
    await page.setContent(`<form method="post" action="${base}/verify">
      <input name="type" value="signup"><input name="token" value="${token}"></form>`);
    await page.evaluate('document.forms[0].submit()');
    await page.getByRole('button', { name: confirmButton }).waitFor();
    expect(await isConfirmed(email)).toBe(false);
    // What it shows is the page itself.
    await page.getByRole('button', { name: confirmButton }).click();
    await page.waitForURL((url) => url.pathname === '/');
    expect(await isConfirmed(email)).toBe(true);
    await page.context().close();
  });

  it('posts twice without JavaScript, and then the link at least says that it has worked', async () => {
    const { email, link } = await mailed();
    const visit = await openPage(browser, link, { javaScriptEnabled: false });
    const { page, requests } = visit;
    await pressTwice(visit, 2);
    // Not by waiting for a navigation: the second press breaks off that of the first.
    await eventually('the page of the site', () => new URL(page.url()).pathname === '/');
    expect(posts(requests)).toHaveLength(2);
    expect(await isConfirmed(email)).toBe(true);
    await page.goto(link);
    await page.getByRole('heading', { name: alreadyConfirmed }).waitFor();
    await page.context().close();
  });
});
