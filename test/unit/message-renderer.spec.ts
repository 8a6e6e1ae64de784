import { randomBytes } from 'node:crypto';
import { StopLinks } from '../../src/auth/messages/stop-links.js';
import { KeyedHash } from '../../src/platform/keyed-hash.js';
import { inWords, MessageRenderer } from '../../src/auth/send/message-renderer.js';
import { readConfig } from '../../src/config/config.js';
import { TestClock } from '../support/test-clock.js';

const minutes = 60_000;
const hours = 60 * minutes;

const rendererFor = (siteUrl: string) =>
  new MessageRenderer(
    readConfig({ NODE_ENV: 'test', SITE_URL: siteUrl }),
    new TestClock(),
    new StopLinks(new KeyedHash(randomBytes(32))),
  );
const renderer = rendererFor('https://example.com/welcome');
const link = 'http://localhost:8080/verify?token=a-b_c&type=signup&redirect_to=https%3A%2F%2Fexample.com%2F';
const stopLink = 'http://localhost:8080/stop?token=a-b_c';
const content = { to: 'user@example.org', link, stopLink, code: '012345', validForMs: 24 * hours };

const emailTypes = ['signup', 'recovery', 'magiclink', 'email_change'] as const;

describe.each(emailTypes)('a mail of type %s', (type) => {
  const { subject, text, html } = renderer.render(type, 'email', content);

  it('has the link and the code on lines of their own in the text', () => {
    const lines = text.split('\n');
    expect(lines).toContain(link);
    expect(lines).toContain('012345');
  });

  it('has the link as a button and written out, and the code, in the HTML', () => {
    const hrefs = [...html.matchAll(/href="([^"]*)"/g)].map(([, href]) => unescaped(href ?? ''));
    expect(hrefs).toEqual([link, link, stopLink]);
    expect(html).toContain('>012345<');
  });

  it('says whom it was sent to and why, and where such mails are stopped', () => {
    for (const body of [text, html])
      expect(body).toContain('Sent to user@example.org because example.com was asked');
    expect(text.split('\n')).toContain(stopLink);
  });

  it('names the site in the subject and says how long it works and what to do if it was not you', () => {
    expect(subject).toContain('example.com');
    for (const body of [text, html]) {
      expect(body).toContain('24 hours');
      expect(body).toMatch(/If you did not .*ignore this message/);
    }
  });

  it('leaves no placeholder and no gap', () => {
    for (const part of [subject, text, html]) expect(part).not.toMatch(/\{\{|\}\}|undefined|null|\[object/);
    expect(text).not.toMatch(/\n{3}| {2}/);
    expect(text.split('\n\n').length).toBeGreaterThanOrEqual(7);
  });

  it('says nothing of a code when it brings the link alone', () => {
    const alone = renderer.render(type, 'email', { ...content, code: '' });
    for (const body of [alone.text, alone.html]) {
      expect(body).not.toMatch(/Or enter this code|The link and the code/);
      expect(body).toContain('The link works for 24 hours, and only once.');
    }
    expect(alone.text).not.toMatch(/\n{3}| {2}/);
  });

  it('loads nothing and runs nothing', () => {
    expect(html).not.toMatch(/<img|<script|<link|url\(|@import|src=/i);
  });

  it('escapes whatever comes from outside in HTML, and only there', () => {
    const hostile = `"'><img src=x onerror=alert(1)>&{{code}}@example.org`;
    const rendered = renderer.render(type, 'email', {
      ...content,
      to: hostile,
      link: `${link}"><b>`,
      code: '<b>',
    });
    expect(rendered.html).not.toContain('<img');
    expect(rendered.html).not.toContain('<b>');
    expect(rendered.text).toContain(`${link}"><b>`);
    expect(rendered.subject).not.toContain('<');
  });

  it('fits the lines of a mail', () => {
    expect(subject.length).toBeLessThan(78);
    expect(subject).not.toMatch(/[\r\n]/);
  });
});

it('tells the types apart', () => {
  const subjects = emailTypes.map((type) => renderer.render(type, 'email', content).subject);
  expect(new Set(subjects).size).toBe(emailTypes.length);
});

it('names the new address in the mail that changes to it', () => {
  const { text } = renderer.render('email_change', 'email', content);
  expect(text).toContain('user@example.org');
});

describe('an SMS', () => {
  const sms = { to: '+1234567890', link: null, stopLink: null, code: '012345', validForMs: 10 * minutes };

  it.each(['signup', 'sms'] as const)('of type %s has code, site and validity, bound to the site', (type) => {
    const { subject, text, html } = renderer.render(type, 'sms', sms);
    expect({ subject, html }).toEqual({ subject: '', html: '' });
    expect(text).toMatch(/^Your example\.com .*code is 012345\. It works for 10 minutes\./);
    expect(text).toMatch(/\n\n@example\.com #012345$/);
    expect(text).toMatch(/^[\w .,:\n@#-]{1,160}$/);
  });

  it('leaves the port out of the line that binds the code, as that format knows none', () => {
    expect(rendererFor('http://localhost:3000').render('sms', 'sms', sms).text).toMatch(
      /\n@localhost #012345$/,
    );
  });

  it.each(['http://127.0.0.1:3000', 'http://[::1]:3000'])('binds no code to the IP address in %s', (site) => {
    expect(rendererFor(site).render('sms', 'sms', sms).text).not.toContain('#012345');
  });

  it.each([40, 70, 120, 240])('stays one SMS for a site with a name of %i characters', (length) => {
    const name = `${'a23456789.'.repeat(30).slice(0, length - 4)}.com`.replace('..', '.a');
    const { text } = rendererFor(`https://${name}`).render('signup', 'sms', sms);
    expect(text.length).toBeLessThanOrEqual(160);
    expect(text).toContain('012345');
  });
});

it.each([
  ['recovery', 'sms', null],
  ['magiclink', 'sms', null],
  ['email_change', 'sms', null],
  ['sms', 'email', link],
  ['signup', 'email', null],
] as const)('refuses to render %s for %s with the link %s', (type, channel, broken) => {
  expect(() => renderer.render(type, channel, { ...content, link: broken })).toThrow(RangeError);
});

it.each([
  [10 * minutes, '10 minutes'],
  [10 * minutes - 40, '10 minutes'],
  [minutes, '1 minute'],
  [hours, '1 hour'],
  [hours - 3, '1 hour'],
  [90 * minutes, '90 minutes'],
  [2 * hours, '2 hours'],
  [24 * hours, '24 hours'],
  [24 * hours - 900, '24 hours'],
  [7 * 24 * hours, '7 days'],
  [30_000, '30 seconds'],
  [0, '1 second'],
])('says %i milliseconds as %s', (ms, words) => {
  expect(inWords(ms)).toBe(words);
});

function unescaped(html: string): string {
  return html.replace(/&#x3D;/g, '=').replace(/&amp;/g, '&');
}
