import { RedirectAllowList } from '../../src/auth/requests/redirect-allow-list.js';
import { readConfig } from '../../src/config/config.js';
import { hostileRedirects } from '../support/hostile-redirects.js';

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
  'https://bücher.example',
  'http://127.0.0.1:8000',
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
    'https://bücher.example/x',
    'https://BÜCHER.example/x',
    'https://xn--bcher-kva.example/x',
    'http://127.0.0.1:8000/x',
  ])('lets %s through', (url) => {
    expect(list.allows(url)).toBe(true);
  });

  const hostile = Object.values(hostileRedirects).flat();

  describe.each(Object.entries(hostileRedirects))('stops %s:', (_kind, urls) => {
    it.each(urls.map((url) => [JSON.stringify(url), url]))('%s', (_shown, url) => {
      expect(list.allows(url)).toBe(false);
    });
  });

  it('is tried with at least 60 hostile URLs of nineteen kinds, each of them different', () => {
    expect(new Set(hostile).size).toBe(hostile.length);
    expect(hostile.length).toBeGreaterThanOrEqual(60);
    expect(Object.keys(hostileRedirects)).toHaveLength(19);
  });

  it.each([
    'app.example.com',
    'https://',
    'javascript://x',
    'https://*',
    'https://*.com',
    'https://*.com*',
    'https://a.*.example.com',
    'https://user@app.example.com',
    'https://app.example.com?x=*',
  ])('refuses to start with the entry %s', (entry) => {
    expect(() => allowList(entry)).toThrow(/REDIRECT_ALLOW_LIST/);
  });
});
