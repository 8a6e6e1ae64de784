import { countingForm } from '../../src/auth/messages/counting-form.js';
import { normaliseEmail, normalisePhone } from '../../src/auth/requests/normal-form.js';

/** As it is typed: normalised, then counted. */
const counted = (text: string) => {
  const email = normaliseEmail(text);
  return email === null
    ? countingForm('sms', normalisePhone(text) ?? 'malformed')
    : countingForm('email', email);
};

/** Each line is one mailbox or telephone in all of its spellings; lines are strangers to each other. */
const joined: [string, string[]][] = [
  [
    'ann@example.org',
    [
      'ANN@example.org',
      'ann+news@example.org',
      'ann+a+b@Example.ORG',
      '"ann"@example.org',
      'ann+@example.org',
    ],
  ],
  [
    'a.nn@example.org',
    ['a.nn+1@example.org', String.raw`"\a.nn"@example.org`, '\u202aa.nn@example.org\u202c'],
  ],
  ['an.n@example.org', ['an.n+2@example.org']],
  ['ann-news@example.org', ['Ann-News@example.org']],
  ['ann=news@example.org', ['ann=news+x@example.org']],
  ['ann_news@example.org', ['ann_news+x@example.org']],
  ['ann@sub.example.org', ['ann+x@sub.example.org']],
  ['ann@xn--bcher-kva.example', ['ann@bücher.example', 'ann+x@BÜCHER.example']],
  ['bob@example.org', ['bob+ann@example.org']],
  ['+ann@example.org', ['+Ann@example.org']],
  ['+bob@example.org', []],
  ['+@example.org', ['++@example.org', '++ann@example.org']],
  [
    'victim@gmail.com',
    [
      'v.i.c.t.i.m@gmail.com',
      'victim+1@gmail.com',
      'v.ictim+a.b@googlemail.com',
      'VICTIM@GoogleMail.com',
      '"v.ictim"@gmail.com',
      String.raw`"v\ictim"@gmail.com`,
    ],
  ],
  ['victims@gmail.com', ['v.ictims@gmail.com']],
  ['victim@gmail.co', ['victim+1@gmail.co']],
  ['v.ictim@gmail.co', []],
  ['v.ictim@mail.gmail.com', []],
  ['v.ictim@notgmail.com', []],
  ['v.ictim@gmail.com.example', []],
  ['victim@googlemail.example', []],
  ['v.ictim@outlook.com', ['v.ictim+1@outlook.com']],
  ['victim@outlook.com', []],
  ['victim@hotmail.com', []],
  ['victim@yahoo.com', []],
  ['victim-1@yahoo.com', []],
  ['victim@icloud.com', []],
  ['victim@me.com', []],
  ['victim@proton.me', []],
  ['victim@pm.me', []],
  ['+4915112345678', ['+49015112345678', '+49 (0)151 1234 5678', '\u202d+49 151 12345678\u202c']],
  ['+4915112345679', ['+49 0151 12345679']],
  ['+49301234567', ['+490301234567']],
  ['+447911123456', ['+4407911123456', '+44 (0)7911 123456']],
  ['+33612345678', ['+330612345678']],
  ['+819012345678', ['+8109012345678']],
  ['+6281234567890', ['+62081234567890']],
  ['+8613812345678', ['+86013812345678']],
  ['+79161234567', ['+789161234567']],
  ['+390612345678', ['+39 (0)6 12345678']],
  ['+39612345678', []],
  ['+525512345678', ['+5215512345678', '+52 1 55 1234 5678', '+521 5512345678']],
  ['+525512345679', ['+5215512345679']],
  ['+52155123456789', []],
  ['+541112345678', ['+5491112345678', '+54 9 11 1234-5678', '+54111512345678']],
  ['+541112345679', ['+5491112345679']],
  ['+541112345', []],
  ['+5511912345678', []],
  ['+551112345678', []],
  ['+2250101234567', []],
  ['+22501234567', []],
  ['+12025550123', ['+1 (202) 555-0123', '＋１２０２５５５０１２３']],
  ['+1234567890', []],
  ['+12345678901', []],
  ['+5215512345', []],
];

describe('the counting form', () => {
  it('is tried with at least 60 spellings', () => {
    expect(joined.flatMap(([form, others]) => [form, ...others]).length).toBeGreaterThanOrEqual(60);
  });

  it.each(joined)('%s is counted together with %j', (form, others) => {
    for (const spelling of [form, ...others])
      expect([spelling, counted(spelling)]).toEqual([spelling, counted(form)]);
  });

  it('keeps strangers apart', () => {
    const forms = joined.map(([form]) => counted(form));
    expect(forms.filter((form, i) => forms.indexOf(form) !== i)).toEqual([]);
  });

  it('is its own counting form', () => {
    for (const [form] of joined) expect([form, counted(counted(form))]).toEqual([form, counted(form)]);
  });
});
