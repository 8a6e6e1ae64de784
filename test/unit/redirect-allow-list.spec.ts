import { RedirectAllowList } from '../../src/auth/redirect-allow-list.js';
import { readConfig } from '../../src/config.js';

function allowList(entries: string): RedirectAllowList {
  return new RedirectAllowList(
    readConfig({ SITE_URL: 'https://site.example.org/welcome', REDIRECT_ALLOW_LIST: entries }),
  );
}

const entries = [
  'https://app.example.com',
  'https://*.preview.example.com',
  'https://example.net/done',
  'https://example.net/app/*',
  'http://localhost:3000',
  'com.example.app://callback',
].join(',');

describe('the allow list of redirects', () => {
  const list = allowList(entries);

  it.each([
    'https://site.example.org/anything',
    'https://app.example.com',
    'https://app.example.com/verified?x=1#y',
    'https://APP.example.com/verified',
    'https://app.example.com:443/verified',
    'https://a.preview.example.com/',
    'https://a.b.preview.example.com/x',
    'https://example.net/done',
    'https://example.net/done?ok=1',
    'https://example.net/app/deep/er',
    'http://localhost:3000/x',
    'com.example.app://callback',
    'com.example.app://callback/x?y=1',
  ])('lets %s through', (url) => {
    expect(list.allows(url)).toBe(true);
  });

  const hostile = [
    '',
    ' ',
    '/',
    '/verified',
    '//evil.example',
    '///evil.example',
    '////evil.example',
    '\\\\evil.example',
    '/\\evil.example',
    '\\/evil.example',
    'https:evil.example',
    'https:/evil.example',
    'https:///evil.example',
    'https:\\\\app.example.com',
    'https://evil.example',
    'https://evil.example/app.example.com',
    'https://evil.example/https://app.example.com',
    'https://evil.example?https://app.example.com',
    'https://evil.example#https://app.example.com',
    'https://app.example.com.evil.example',
    'https://app.example.com-evil.example',
    'https://evilapp.example.com',
    'https://app.example.comevil',
    'https://example.com',
    'https://app.example.com@evil.example',
    'https://app.example.com:pass@evil.example',
    'https://app.example.com:443@evil.example',
    'https://user@app.example.com',
    'https://user:pass@app.example.com',
    'https://:@app.example.com',
    'https://@app.example.com',
    'https://evil.example\\@app.example.com',
    'https://evil.example\\.app.example.com',
    'https://app.example.com\\@evil.example',
    'https://app.example.com\\.evil.example',
    'https://evil.example%2f@app.example.com',
    'https://evil.example%00.app.example.com',
    'https://evil.example\u0000.app.example.com',
    'https://app.example.com\u0000.evil.example',
    'https://app.example.com%2eevil.example',
    'https://app.example.com%252eevil.example',
    'https://app.ex\u0430mple.com',
    'https://app\u3002example\u3002com.evil.example',
    'https://app.example.com\uff0fevil.example',
    'https://evil.example\u2044.app.example.com',
    'https://xn--app-example-com.evil.example',
    'https://app.example.com:444',
    'https://app.example.com:80',
    'http://app.example.com',
    'ftp://app.example.com',
    'ws://app.example.com',
    'javascript:alert(1)',
    'javascript://app.example.com/%0aalert(1)',
    'JaVaScRiPt://app.example.com',
    'data:text/html,x',
    'data://app.example.com',
    'vbscript://app.example.com',
    'file:///etc/passwd',
    'blob:https://app.example.com/x',
    'view-source:https://app.example.com',
    'intent://app.example.com#Intent;end',
    ' https://app.example.com',
    'https://app.example.com ',
    '\thttps://app.example.com',
    'ht\ntps://app.example.com',
    'https://app.exam\tple.com',
    'https://app.example.com/\r\nSet-Cookie: a=b',
    'https://app.example.com/\u2028x',
    'https://app.example.com/\ud800',
    'https://preview.example.com',
    'https://.preview.example.com',
    'https://evilpreview.example.com',
    'https://a.preview.example.com.evil.example',
    'https://*.preview.example.com',
    'https://example.net',
    'https://example.net/',
    'https://example.net/done/x',
    'https://example.net/donex',
    'https://example.net/app',
    'https://example.net/app/../admin',
    'https://example.net/app/%2e%2e/admin',
    'https://example.net/app/..%2fadmin',
    'https://example.net/app/%5c..%5cadmin',
    'http://localhost',
    'http://localhost:3001',
    'http://127.0.0.1:3000',
    'http://localhost:3000@evil.example',
    'http://[::1]:3000',
    'com.example.app://other',
    'com.example.app:callback',
    'com.example.app.evil://callback',
    'com.example.app://callback@evil',
    `https://app.example.com/${'x'.repeat(2_100)}`,
  ];

  it.each(hostile.map((url) => [JSON.stringify(url), url]))('stops %s', (_shown, url) => {
    expect(list.allows(url)).toBe(false);
  });

  it('is tried with at least 60 hostile URLs, each of them different', () => {
    expect(new Set(hostile).size).toBe(hostile.length);
    expect(hostile.length).toBeGreaterThanOrEqual(60);
  });

  it.each([
    'app.example.com',
    'https://',
    'javascript://x',
    'https://*',
    'https://*.com*',
    'https://a.*.example.com',
    'https://user@app.example.com',
    'https://app.example.com?x=*',
  ])('refuses to start with the entry %s', (entry) => {
    expect(() => allowList(entry)).toThrow(/REDIRECT_ALLOW_LIST/);
  });
});
