/** One request that a scanner makes of a link. */
export interface Probe {
  readonly method: 'GET' | 'HEAD' | 'OPTIONS' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  /** What it has made of the link; without it, the link as it is. */
  readonly mangled?: (link: string) => string;
  readonly body?: string;
}

export interface ScannerVisit {
  readonly name: string;
  /** Where it is reported or specified; or that it is made up. */
  readonly source: string;
  readonly probes: readonly Probe[];
}

const chrome = (version: string, more = '') =>
  `Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version} Safari/537.36${more}`;
const asking = (userAgent: string, more: Record<string, string> = {}): Probe => ({
  method: 'GET',
  headers: { 'User-Agent': userAgent, ...more },
});
const form = 'application/x-www-form-urlencoded';

/**
 * What scanners, previewers and prefetchers of mail have been seen to do with links: the order of the requests and the
 * user agents as the sources report them.
 */
export const scannerCorpus: readonly ScannerVisit[] = [
  {
    name: 'Safe Links asks with HEAD, then with GET',
    source: 'github.com/better-auth/better-auth/issues/9690',
    probes: [{ method: 'HEAD' }, { method: 'GET' }],
  },
  {
    name: 'something in between asks with HEAD, twice on a day',
    source: 'github.com/cobudget/cobudget/pull/1274',
    probes: [{ method: 'HEAD' }, { method: 'HEAD' }],
  },
  {
    name: 'Safe Links opens it twice with a browser, once with the token mangled',
    source: 'github.com/emdash-cms/emdash/issues/3298',
    probes: [
      { ...asking(chrome('138.0.0.0')), mangled: (link) => link.replace(/(token=[^&]+)/, '$1%3D') },
      asking(chrome('138.0.0.0')),
    ],
  },
  {
    name: 'Safe Links opens it with the Chrome of its year',
    source:
      'github.com/opencollective/opencollective/issues/3656, github.com/edalzell/laravel-passwordless-login/issues/79',
    probes: ['64.0.3282.140', '72.0.3626.109', '97.0.4692.99'].map((version) => asking(chrome(version))),
  },
  {
    name: 'Defender asks without a user agent, from several addresses',
    source: 'github.com/edalzell/laravel-passwordless-login/issues/79',
    probes: ['104.47.1.254', '104.47.30.126', '104.47.2.254'].map((address) =>
      asking('', { 'X-Forwarded-For': address }),
    ),
  },
  {
    name: 'the new Outlook previews it',
    source: 'github.com/nextauthjs/next-auth/issues/1840',
    probes: [
      asking(chrome('117.0.0.0', ' Edg/117.0.2045.47 OneOutlook/1.2023.927.100'), {
        'X-Native-Host': 'OneOutlook/1.2023.927.100',
      }),
    ],
  },
  {
    name: 'gateways ask for every link of the mail at once, some under their names',
    source:
      'check.live-direct-marketing.online/blog/bot-clicks-security-scanners-detect (names), github.com/supabase/auth/issues/1214',
    probes: ['Barracuda', 'proofpoint', 'CiscoSecureEmail', 'TMES', 'MSOffice', chrome('125.0.0.0')].map(
      (name) => asking(name),
    ),
  },
  {
    name: 'a messenger makes a preview of it',
    source:
      'github.com/farjadp/Gheychi-Premium/pull/4, github.com/flyerhq/flutter_link_previewer/pull/43, github.com/prerender/prerender-node/pull/63',
    probes: [
      asking('TelegramBot (like TwitterBot)'),
      asking('WhatsApp/2'),
      asking('Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)'),
    ],
  },
  {
    name: 'a previewer asks for its first 50 KB',
    source: 'github.com/thelounge/thelounge/issues/4914',
    probes: [asking('facebookexternalhit/1.1 Twitterbot/1.0', { Range: 'bytes=0-51199' })],
  },
  {
    name: 'a browser prefetches or prerenders it',
    source: 'html.spec.whatwg.org, Speculative loading (Sec-Purpose); Purpose is its forerunner',
    probes: [
      asking(chrome('138.0.0.0'), { 'Sec-Purpose': 'prefetch' }),
      asking(chrome('138.0.0.0'), { 'Sec-Purpose': 'prefetch;prerender' }),
      asking(chrome('80.0.3987.0'), { Purpose: 'prefetch' }),
    ],
  },
  {
    name: 'a proxy asks whether it has changed',
    source: 'RFC 9111, section 4.3',
    probes: [
      asking('', { 'If-Modified-Since': 'Thu, 01 Jan 2026 00:00:00 GMT', 'If-None-Match': '"x"' }),
      asking('', { 'Cache-Control': 'no-cache', Pragma: 'no-cache' }),
    ],
  },
  {
    name: 'a rewriter loses part of the link, or adds to it',
    source:
      'github.com/FusionAuth/fusionauth-issues/issues/629 (a parameter that was lost); otherwise made up',
    probes: [
      { method: 'GET', mangled: (link) => link.replaceAll('&', '&amp;') },
      { method: 'GET', mangled: (link) => link.replace(/&redirect_to.*/, '') },
      { method: 'GET', mangled: (link) => link.replace(/&type=[^&]+/, '') },
      { method: 'GET', mangled: (link) => link.slice(0, -7) },
      { method: 'GET', mangled: (link) => `${link}&utm_source=gateway&domain=example.com` },
    ],
  },
  {
    name: 'a sandbox tries other methods, and posts with nothing of the form',
    source: 'made up, after what crawlers of web application scanners do',
    probes: [
      { method: 'OPTIONS' },
      {
        method: 'OPTIONS',
        headers: { Origin: 'https://scanner.example', 'Access-Control-Request-Method': 'POST' },
      },
      { method: 'POST' },
      { method: 'POST', headers: { 'Content-Type': form }, body: '' },
      { method: 'POST', headers: { 'Content-Type': form }, body: 'type=signup&submit=Submit' },
      { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' },
      { method: 'POST', headers: { 'Content-Type': 'text/plain' }, body: 'x' },
    ],
  },
];
