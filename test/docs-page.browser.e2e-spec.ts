import type { Browser } from 'playwright-core';
import { launchBrowser, openPage } from './support/browser.js';
import { type RunningApp, startApp } from './support/start-app.js';

let running: RunningApp;
let browser: Browser;

beforeAll(async () => {
  running = await startApp();
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser.close();
  await running.stop();
});

it('lets a developer try POST /resend from the page of the documentation', async () => {
  const { page, complaints } = await openPage(browser, `${running.url}/docs`);
  const endpoint = page.locator('#operations-Confirmations-resend');
  await endpoint.locator('.opblock-summary-control').click();
  await endpoint.getByRole('button', { name: 'Try it out' }).click();
  const examples = endpoint.locator('.opblock-section-request-body .examples-select-element');
  await examples.locator('option').first().waitFor({ state: 'attached' });
  expect(await examples.locator('option').allInnerTexts()).toEqual(
    expect.arrayContaining(['Sign-up by email', 'Code by SMS', 'Password recovery', 'Magic link']),
  );
  const execute = endpoint.getByRole('button', { name: 'Execute' });
  const answer = endpoint.locator('.live-responses-table .response');
  for (const [label, limit] of [
    ['Sign-up by email', '"email";r=2'],
    ['Code by SMS', '"sms";r=1'],
  ] as const) {
    await examples.selectOption({ label });
    await execute.click();
    await answer.getByText(limit).waitFor();
    expect(await answer.locator('.response-col_status').innerText()).toContain('200');
    expect(await answer.innerText()).toMatch(/"message_id": "msg_[0-9a-f]{32}"/);
  }
  expect(complaints).toEqual([]);
});

it('shows every endpoint in its group, and nothing but the service is asked', async () => {
  const { page, complaints } = await openPage(browser, 'about:blank');
  const hosts = new Set<string>();
  page.on('request', (request) => {
    if (!request.url().startsWith('data:')) hosts.add(new URL(request.url()).host);
  });
  await page.goto(`${running.url}/docs`);
  await page.locator('.opblock').nth(31).waitFor();
  const tags = await page.locator('.opblock-tag').all();
  const groups = await Promise.all(tags.map((tag) => tag.getAttribute('data-tag')));
  expect(groups).toEqual([
    'Confirmations',
    'Verification',
    'Users',
    'Delivery events',
    'Keys',
    'Development inbox',
    'Operations',
    'Admin',
  ]);
  expect(await page.locator('.opblock').count()).toBe(34);
  expect([...hosts]).toEqual([new URL(running.url).host]);
  expect(complaints).toEqual([]);
});
