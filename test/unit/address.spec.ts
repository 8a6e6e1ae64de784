import { isEmail } from 'class-validator';
import fc from 'fast-check';
import { normaliseEmail, normalisePhone } from '../../src/auth/requests/address.dto.js';

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
    ['a line break at its end', 'user@example.com\r\n'],
    ['a NUL byte', 'user\u0000@example.com'],
    ['a NUL byte in the domain', 'user@exam\u0000ple.com'],
    ['a lone surrogate', 'us\ud800er@example.com'],
    ['a lone surrogate in the domain', 'user@ex\udfffample.com'],
    ['a local part that looks like another', 'us\u0435r@example.com'],
    ['a full-width at sign', 'user\uff20example.com'],
    ['an invisible character', 'us\u200ber@example.com'],
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
  ])('%j is counted and sent to as %j', (text, normal) => {
    expect(normalisePhone(text)).toBe(normal);
  });

  it.each([
    ['no plus sign', '1234567890'],
    ['a leading zero', '+0123456789'],
    ['one digit', '+1'],
    ['sixteen digits', '+1234567890123456'],
    ['letters', '+1234abc'],
    ['digits of another script', '+\u0661\u0662\u0663\u0664'],
    ['a NUL byte', '+1234\u00005678'],
    ['a line break', '+1234\r\n5678'],
    ['a thousand spaces', `+1234${' '.repeat(1_000)}5678`],
  ])('with %s is refused', (_what, text) => {
    expect(normalisePhone(text)).toBeNull();
  });
});
