import { type Browser, type BrowserContextOptions, chromium, type Page, type Request } from 'playwright-core';
import { services } from './services.js';

/** For a machine that does ten other things as well, in milliseconds; nothing waits longer than it must. */
const timeoutMs = 120_000;

export interface Visit {
  readonly page: Page;
  /** What the browser complained about so far, on this page and those that it opened. */
  readonly complaints: string[];
  /** What the browser asked for so far, wherever. */
  readonly requests: Request[];
}

/** Chromium without a window, which calls nobody on its own account. */
export function launchBrowser(): Promise<Browser> {
  if (!services.chromium) throw new Error('There is no Chromium: set TEST_CHROMIUM');
  return chromium.launch({
    executablePath: services.chromium,
    timeout: timeoutMs,
    args: [
      '--no-sandbox',
      '--headless',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** A page of a fresh browser profile. What a policy blocks, a script throws or a server refuses is a complaint. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Visit> {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(timeoutMs);
  const complaints: string[] = [];
  const requests: Request[] = [];
  context.on('request', (request) => requests.push(request));
  context.on('page', (page) => {
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('requestfailed', (request) => {
      const reason = request.failure()?.errorText ?? '';
      // A page that polls is left in the middle of a request: that is not the server's failure.
      if (reason !== 'net::ERR_ABORTED') complaints.push(`${request.url()} failed: ${reason}`);
    });
    page.on('response', (response) => {
      if (response.status() >= 400) complaints.push(`${response.url()} answered ${response.status()}`);
    });
  });
  const page = await context.newPage();
  await page.goto(url);
  return { page, complaints, requests };
}
