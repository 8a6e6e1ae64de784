import { isEmail } from 'class-validator';
import fc from 'fast-check';
import { normaliseEmail, normalisePhone } from '../../src/auth/requests/normal-form.js';

describe('an email address', () => {
  it.each([
    ['test@example.com', 'test@example.com'],
    ['  User@Example.COM ', 'user@example.com'],
    ['first.last+tag@sub.example.co.uk', 'first.last+tag@sub.example.co.uk'],
    ["o'hara@example.com", "o'hara@example.com"],
    ['user@bücher.example', 'user@xn--bcher-kva.example'],
    ['user@BÜCHER.example', 'user@xn--bcher-kva.example'],
    ['user@ｅxample.com', 'user@example.com'],
    ['user@例え.jp', 'user@xn--r8jz45g.jp'],
    ['"ann"@x.org', 'ann@x.org'],
    ['"Ann.Lee"@X.org', 'ann.lee@x.org'],
    [String.raw`"v\ictim"@gmail.com`, 'victim@gmail.com'],
    [String.raw`"\a\n\n"@x.org`, 'ann@x.org'],
    ['"ann+tag"@x.org', 'ann+tag@x.org'],
    [`"o'hara"@x.org`, "o'hara@x.org"],
    ['user@example.com\r\n', 'user@example.com'],
    ['\tuser@example.com\n', 'user@example.com'],
    ['\u00a0user@example.com\u3000', 'user@example.com'],
    ['\u202auser@example.com\u202c', 'user@example.com'],
    ['\u2068user@example.com\u2069', 'user@example.com'],
    ['\ufeffuser@example.com\u200b', 'user@example.com'],
    ['user@example.com\u00ad\u2060', 'user@example.com'],
    ['user@bücher.example\u200f', 'user@xn--bcher-kva.example'],
  ])('%j is counted and sent to as %j', (text, normal) => {
    expect(normaliseEmail(text)).toBe(normal);
    expect(normaliseEmail(normal)).toBe(normal);
  });

  it('is taken exactly when the library takes it', () => {
    const part = fc.string({ unit: fc.constantFrom('a', 'b', '7', '.', '-', '_', '+', "'"), maxLength: 70 });
    const label = fc.string({ unit: fc.constantFrom('a', 'b', '7', '-', '_'), maxLength: 66 });
    const domain = fc
      .array(label, { maxLength: 3 })
      .chain((labels) =>
        fc.constantFrom('com', 'c', 'co7', 'museum', '').map((tld) => [...labels, tld].join('.')),
      );
    fc.assert(
      fc.property(part, domain, (localPart, host) => {
        const address = `${localPart}@${host}`;
        expect(normaliseEmail(address)).toBe(isEmail(address) ? address : null);
      }),
      { numRuns: 3_000 },
    );
  });

  it('keeps look-alikes of a domain apart', () => {
    const cyrillic = normaliseEmail('user@ex\u0430mple.com');
    expect(cyrillic).toMatch(/^user@xn--/);
    expect(cyrillic).not.toBe(normaliseEmail('user@example.com'));
  });

  it.each([
    ['nothing', ''],
    ['no at sign', 'user.example.com'],
    ['no local part', '@example.com'],
    ['no domain', 'user@'],
    ['no top-level domain', 'user@example'],
    ['a line break before a header', 'user@example.com\r\nBcc: other@example.com'],
    ['a line break within', 'us\ner@example.com'],
    ['a line break at its end that hides a second line', 'user@example.com\r\nDATA'],
    ['a space in quotes', '"us er"@example.com'],
    ['an at sign in quotes', '"a@evil.example"@example.com'],
    ['a comma in quotes', '"a,b"@example.com'],
    ['an escaped quote', String.raw`"a\"b"@example.com`],
    ['an escaped backslash', String.raw`"a\\b"@example.com`],
    ['dots that only quotes allow', '"a..b"@example.com'],
    ['a dot at the start of quotes', '".ann"@example.com'],
    ['nothing in quotes', '""@example.com'],
    ['a quoted part', '"ann".lee@example.com'],
    ['two quoted parts', '"ann"."lee"@example.com'],
    ['one quote', '"ann@example.com'],
    ['spaces within quotes at the ends', '" ann "@example.com'],
    ['a comment', 'ann(comment)@example.com'],
    ['a look-alike in quotes', '"us\u0435r"@example.com'],
    ['a NUL byte', 'user\u0000@example.com'],
    ['a NUL byte in the domain', 'user@exam\u0000ple.com'],
    ['a lone surrogate', 'us\ud800er@example.com'],
    ['a lone surrogate in the domain', 'user@ex\udfffample.com'],
    ['a local part that looks like another', 'us\u0435r@example.com'],
    ['a full-width at sign', 'user\uff20example.com'],
    ['an invisible character', 'us\u200ber@example.com'],
    ['an invisible character in the domain', 'user@exam\u200bple.com'],
    ['a soft hyphen in the domain', 'user@exam\u00adple.com'],
    ['a mark of direction before the at sign', 'user\u200e@example.com'],
    ['a tab within', 'user@\texample.com'],
    ['a Kelvin sign', '\u212aate@example.com'],
    ['a long s in the domain, quoted', '"a b"@\u017ft.example'],
    ['two addresses', 'a@example.com,b@example.com'],
    ['a display name', 'User <user@example.com>'],
    ['a space', 'us er@example.com'],
    ['an address literal', 'user@[127.0.0.1]'],
    ['ten thousand characters', `${'a'.repeat(10_000)}@example.com`],
    [
      '255 characters',
      `${'a'.repeat(60)}@${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.${'e'.repeat(7)}.com`,
    ],
  ])('with %s is refused', (_what, text) => {
    expect(normaliseEmail(text)).toBeNull();
  });
});

describe('a phone number', () => {
  it.each([
    ['+1234567890', '+1234567890'],
    [' +1 (234) 567-8.90 ', '+1234567890'],
    ['+12', '+12'],
    ['+123456789012345', '+123456789012345'],
    ['\u202d+49 151 23456789\u202c', '+4915123456789'],
    ['\u202a+49\u00a0151\u00a023456789\u202c', '+4915123456789'],
    ['\u2068+49\u2069 151 23456789', '+4915123456789'],
    ['+49\u2011151\u201123456789', '+4915123456789'],
    ['+1\u2013202\u2212555\u20140123', '+12025550123'],
    ['\uff0b\uff11\uff12\uff10\uff12\uff15\uff15\uff15\uff10\uff11\uff12\uff13', '+12025550123'],
    ['+\u0661\u0662\u0660\u0662\u0665\u0665\u0665\u0660\u0661\u0662\u0663', '+12025550123'],
    ['+\u06f9\u06f8 912 345 6789', '+989123456789'],
    ['+\u096f\u0967 98765 43210', '+919876543210'],
    ['+\u{1d7d7}\u{1d7cf} 98765 43210', '+919876543210'],
    ['+12\t', '+12'],
    ['\r\n+12025550123\r\n', '+12025550123'],
    ['+44 (0)7911 123456', '+447911123456'],
    ['+44(0)7911123456', '+447911123456'],
    ['+44 \uff080\uff09 7911 123456', '+447911123456'],
    ['+49 (0) 151 23456789', '+4915123456789'],
    ['+39 (0)6 6982 1234', '+390669821234'],
    ['+7 (0)12', '+712'],
  ])('%j is counted and sent to as %j', (text, normal) => {
    expect(normalisePhone(text)).toBe(normal);
  });

  it.each([
    ['no plus sign', '1234567890'],
    ['a leading zero', '+0123456789'],
    ['one digit', '+1'],
    ['sixteen digits', '+1234567890123456'],
    ['letters', '+1234abc'],
    ['a zero of another script', '+\u0660\u0661\u0662\u0663'],
    ['a fraction', '+12\u00bd'],
    ['a raised digit', '+12025550\u00b9'],
    ['two plus signs', '++12025550123'],
    ['an extension', '+12025550123;ext=4'],
    ['a NUL byte', '+1234\u00005678'],
    ['a line break', '+1234\r\n5678'],
    ['a thousand spaces', `+1234${' '.repeat(1_000)}5678`],
  ])('with %s is refused', (_what, text) => {
    expect(normalisePhone(text)).toBeNull();
  });
});
