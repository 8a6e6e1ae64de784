import { createHash } from 'node:crypto';
import { formSources } from '../../src/auth/verify/verify-answers.js';
import { parseVerifyLink } from '../../src/auth/verify/verify.dto.js';
import { verifyTexts } from '../../src/auth/verify/verify-page.texts.js';
import {
  confirmPage,
  confirmScript,
  errorPage,
  incompleteLinkPage,
  invalidLinkPage,
  usedLinkPage,
} from '../../src/auth/verify/verify.page.js';
import { escapeHtml, pageHeaders } from '../../src/pages/frame.js';
import { type Language, languages } from '../../src/pages/language.js';

const target = 'https://app.example.com/';
const linkTypes = ['signup', 'recovery', 'magiclink', 'email_change'] as const;

const everyPage = (language: Language): [name: string, html: string][] =>
  [
    ...linkTypes.map(
      (type) => [`confirm ${type}`, confirmPage({ type, token: 'x', target }, language)] as const,
    ),
    ...linkTypes.map((type) => [`used ${type}`, usedLinkPage({ type, target }, language)] as const),
    ['invalid', invalidLinkPage(target, language)],
    ['incomplete', incompleteLinkPage(language)],
    ...[400, 413, 429, 500, 503].map((status) => [`${status}`, errorPage(status, language)] as const),
  ].map(([name = '', html = '']) => [name, html]);

const textOf = (html: string) => html.replace(/<(style|script)>[^]*?<\/\1>/g, '').replace(/<[^>]*>/g, ' ');

describe.each(languages)('The pages behind a link, in %s', (language) => {
  it.each(everyPage(language))(
    '%s: a language, a title, one heading, and nothing from elsewhere',
    (_name, html) => {
      expect(html).toContain(`<html lang="${language}">`);
      expect(html).toContain('prefers-color-scheme: dark');
      expect(html).toContain('<meta name="robots" content="noindex, nofollow">');
      expect(html).not.toMatch(/<script |<img|<link|<iframe|@import|url\(/);
      const [, title] = /<title>([^<]+)<\/title>/.exec(html) ?? [];
      expect(html.match(/<h1>[^<]+<\/h1>/g)).toEqual([`<h1>${title}</h1>`]);
    },
  );

  it('have one button where there is something to do, and none elsewhere', () => {
    for (const [name, html] of everyPage(language)) {
      expect([name, html.match(/<button/g)?.length ?? 0]).toEqual([name, name.startsWith('confirm') ? 1 : 0]);
      expect(html.includes('<script>')).toBe(name.startsWith('confirm'));
    }
    const html = confirmPage({ type: 'signup', token: 'x', target }, language);
    expect(html).toContain('<form method="post" action="/verify">');
  });

  it('lead on to where the person was to be taken, once the link is of no more use', () => {
    for (const html of [
      usedLinkPage({ type: 'signup', target }, language),
      invalidLinkPage(target, language),
    ]) {
      expect(html).toContain(`<a href="${target}">`);
      expect(textOf(html)).toContain('app.example.com');
    }
  });

  it('leave nothing untranslated', () => {
    const others = languages.filter((other) => other !== language).flatMap(everyPage);
    for (const [name, html] of everyPage(language)) {
      for (const [, other] of others.filter(([each]) => each === name)) {
        for (const paragraph of html.match(/<(h1|p)[^>]*>[^]*?<\/\1>/g) ?? [])
          expect(other).not.toContain(paragraph);
      }
    }
  });

  it('say for an app that an app is opened', () => {
    const link = { type: 'magiclink', token: 'x', target: 'com.example.app://callback' } as const;
    for (const html of [confirmPage(link, language), usedLinkPage(link, language)]) {
      expect(textOf(html)).toContain(verifyTexts[language].app('com.example.app:'));
    }
  });
});

describe('The page with the button', () => {
  const page = (token: string) => confirmPage({ type: 'signup', token, target }, 'en');

  it('escapes whatever the link says', () => {
    const html = page(`"><script>alert(1)</script>&'`);
    expect(html).toContain('value="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;&#39;"');
    expect(html.match(/<script/g)).toHaveLength(1);
    expect(escapeHtml(`<a href="x">'&'</a>`)).toBe('&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;');
  });

  it('allows its own style and script by hash, and no other', () => {
    const policy = pageHeaders({ script: confirmScript.source })['Content-Security-Policy'];
    for (const element of ['style', 'script']) {
      const [, text = ''] = new RegExp(`<${element}>([^]*?)</${element}>`).exec(page('x')) ?? [];
      const hash = createHash('sha256').update(text).digest('base64');
      expect(policy).toContain(`${element}-src 'sha256-${hash}';`);
    }
    expect(policy).not.toMatch(/unsafe|script-src[^;]*self|\*/);
    expect(pageHeaders()['Content-Security-Policy']).toContain(`script-src 'none';`);
  });

  it('has a script that is the same for every link: nothing of the link is in it', () => {
    const scriptOf = (html: string) => /<script>([^]*?)<\/script>/.exec(html)?.[1];
    expect(scriptOf(page('a'))).toBe(scriptOf(page('b')));
    expect(scriptOf(page('a'))).not.toMatch(/\.click|\.submit\(|requestSubmit|fetch|XMLHttp|sendBeacon/);
  });

  it('lets its form lead to where the person is sent, and through the redirects there', () => {
    expect(formSources('https://app.example.com/x')).toBe(`'self' https:`);
    expect(formSources('http://localhost:3000/')).toBe(`'self' https: http:`);
    expect(formSources('com.example.app://callback')).toBe(`'self' https: com.example.app:`);
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
