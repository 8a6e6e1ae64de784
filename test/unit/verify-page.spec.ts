import { createHash } from 'node:crypto';
import { formSources } from '../../src/auth/verify/verify-redirect.js';
import { parseVerifyLink } from '../../src/auth/verify/verify-link.js';
import { brokenLinkPage, confirmPage } from '../../src/auth/verify/verify.page.js';
import { escapeHtml, pageHeaders } from '../../src/html-page.js';

describe('The page behind a link', () => {
  const page = (token: string) => confirmPage({ type: 'signup', token, target: 'https://app.example.com/' });

  it('has one button, a language, and nothing from elsewhere', () => {
    for (const html of [page('x'), brokenLinkPage()]) {
      expect(html).toContain('<html lang="en">');
      expect(html).toContain('prefers-color-scheme: dark');
      expect(html).toContain('<meta name="robots" content="noindex, nofollow">');
      expect(html).not.toMatch(/<script|<img|<link|@import|url\(/);
    }
    expect(page('x').match(/<button/g)).toHaveLength(1);
    expect(page('x')).toContain('<form method="post" action="/verify">');
  });

  it('escapes whatever the link says', () => {
    const html = page(`"><script>alert(1)</script>&'`);
    expect(html).toContain('value="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;&#39;"');
    expect(html).not.toContain('<script');
    expect(escapeHtml(`<a href="x">'&'</a>`)).toBe('&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;');
  });

  it('allows its own style by hash and no other', () => {
    const [, style = ''] = /<style>([\s\S]*?)<\/style>/.exec(page('x')) ?? [];
    const policy = pageHeaders()['Content-Security-Policy'];
    expect(policy).toContain(`style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`);
    expect(policy).not.toContain('unsafe');
  });

  it('lets its form lead to where the person is sent, and through the redirects there', () => {
    expect(formSources('https://app.example.com/x')).toEqual([`'self'`, 'https:']);
    expect(formSources('http://localhost:3000/')).toEqual([`'self'`, 'https:', 'http:']);
    expect(formSources('com.example.app://callback')).toEqual([`'self'`, 'https:', 'com.example.app:']);
  });

  it('says for an app that an app is opened', () => {
    const html = confirmPage({ type: 'magiclink', token: 'x', target: 'com.example.app://callback' });
    expect(html).toContain('the app that opens com.example.app: links');
  });
});

describe('parseVerifyLink', () => {
  it('takes the token under both names', () => {
    const link = { token: 'x', type: 'signup', redirectTo: undefined };
    expect(parseVerifyLink({ token: 'x', type: 'signup' })).toEqual(link);
    expect(parseVerifyLink({ token_hash: 'x', type: 'signup' })).toEqual(link);
  });

  it.each([
    [{ token: 'x', type: 'sms' }],
    [{ token: 'x', type: '__proto__' }],
    [{ token: '', type: 'signup' }],
    [{ token: 'x', type: ['signup', 'signup'] }],
    [{ token: 'x', type: 'signup', redirect_to: ['a', 'b'] }],
  ])('takes no %j', (query) => {
    expect(parseVerifyLink(query)).toBeNull();
  });
});
