import type { Browser } from 'playwright-core';
import { DataSource } from 'typeorm';
import { UserEntity } from '../src/auth/users/typeorm-users.repository.js';
import { launchBrowser, openPage } from './support/browser.js';
import { freePort } from './support/free-port.js';
import { type RunningApp, startApp } from './support/start-app.js';

let running: RunningApp;
let browser: Browser;
let base: string;

beforeAll(async () => {
  // The links in mails begin with it, so it must be known before the service is there.
  const port = String(await freePort());
  base = `http://localhost:${port}`;
  running = await startApp({ env: { PORT: port } });
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser.close();
  await running.stop();
});

async function post(path: string, body: object): Promise<void> {
  const response = await fetch(base + path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect([path, response.status]).toEqual([path, 200]);
}

it('leads a person who lost the first mail from the second to the confirmation', async () => {
  const email = 'you@example.com';
  await post('/signup', { email, password: 'correct horse battery staple' });
  await post('/resend', { type: 'signup', email });

  const { page: inbox, complaints } = await openPage(browser, `${base}/inbox`);
  const mails = inbox.locator('#list button');
  await mails.nth(1).waitFor();
  expect(await mails.count()).toBe(2);
  expect(await inbox.locator('#status').innerText()).toBe('2 messages');
  expect(await mails.first().innerText()).toContain(email);
  await mails.first().click();

  // The mail as it came, in its frame; its button opens a page of its own.
  const mail = inbox.frameLocator('#html');
  const opened = inbox.context().waitForEvent('page');
  await mail.locator('a[href*="/verify"]').first().click();
  const confirmation = await opened;
  await confirmation.getByRole('heading', { name: 'Confirm your email address' }).waitFor();
  const users = running.app.get(DataSource).getRepository(UserEntity);
  expect(await users.findOneByOrFail({ email })).toMatchObject({ emailConfirmedAt: null });

  await confirmation.getByRole('button', { name: 'Confirm my address' }).click();
  await confirmation.getByText('Your address is confirmed.').waitFor();
  expect(confirmation.url()).toBe(`${base}/`);
  expect((await users.findOneByOrFail({ email })).emailConfirmedAt).toBeInstanceOf(Date);
  expect(complaints).toEqual([]);
});
