import type { Browser, Page } from 'playwright-core';
import { DataSource } from 'typeorm';
import { UserEntity } from '../src/auth/users/typeorm-users.repository.js';
import { launchBrowser, openPage } from './support/browser.js';
import { arrived } from './support/inbox.js';
import { resend } from './support/messages.js';
import { freePort } from './support/free-port.js';
import { type RunningApp, startApp } from './support/start-app.js';
import { insertUser } from './support/users.js';

let running: RunningApp;
let browser: Browser;
let count = 0;

beforeAll(async () => {
  const port = String(await freePort());
  running = await startApp({ env: { PORT: port, LIMIT_IP: '10000/1s' } });
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser.close();
  await running.stop();
});

const isConfirmed = async (email: string) => {
  const user = await running.app.get(DataSource).getRepository(UserEntity).findOneByOrFail({ email });
  return user.emailConfirmedAt !== null;
};

/** Everything that the page as it stands after its scripts names as an address. */
const addressesIn = (page: Page) =>
  page.evaluate<string[]>(
    `[...document.querySelectorAll('[href], [src], [action], [data], [content^="http"]')].flatMap((element) =>
      ['href', 'src', 'action', 'data', 'content'].map((name) => element[name]).filter((it) => /^http/.test(it)))`,
  );

const sandboxes: [what: string, visit: (page: Page, link: string) => Promise<unknown>][] = [
  ['runs its scripts and waits until nothing more happens', (page) => page.waitForLoadState('networkidle')],
  [
    'opens it again and again',
    async (page) => {
      for (let i = 0; i < 3; i += 1) await page.reload();
      await page.goBack().catch(() => null);
    },
  ],
  [
    'follows every address in it',
    async (page, link) => {
      const addresses = await addressesIn(page);
      expect(addresses.some((address) => new URL(address).pathname === '/verify')).toBe(true);
      for (const address of addresses) {
        await page.goto(address);
        await page.goto(link);
      }
    },
  ],
  [
    'moves the mouse, scrolls, types and takes a picture',
    async (page) => {
      await page.getByRole('button').hover();
      await page.mouse.wheel(0, 1_000);
      for (const key of ['Tab', 'a', 'Escape', 'PageDown', 'End']) await page.keyboard.press(key);
      await page.screenshot({ fullPage: true });
    },
  ],
  [
    'runs scripts of its own in it, as far as they press nothing',
    (page) =>
      page.evaluate(`document.querySelectorAll('*').forEach((element) => {
        for (const type of ['mouseover', 'focus', 'load', 'pageshow', 'visibilitychange', 'touchstart'])
          element.dispatchEvent(new Event(type, { bubbles: true }));
      })`),
  ],
];

it.each(sandboxes)('a link is good after a browser in a sandbox %s', async (_what, visit) => {
  const email = `sandboxed-${(count += 1)}@example.com`;
  await insertUser(running, { email });
  const { link } = await arrived(running, email, await resend(running, { type: 'signup', email }));
  const scanner = await openPage(browser, link ?? '');
  await visit(scanner.page, link ?? '');
  expect(scanner.requests.filter((request) => request.method() !== 'GET')).toEqual([]);
  await scanner.page.context().close();
  expect(await isConfirmed(email)).toBe(false);

  const { page } = await openPage(browser, link ?? '');
  await page.getByRole('button', { name: 'Confirm my address' }).click();
  await page.getByText('Your address is confirmed.').waitFor();
  expect(await isConfirmed(email)).toBe(true);
  await page.context().close();
});
