import { digitsIn, isCode, isLinkToken, isMeantAsCode } from '../../src/auth/verify/typed-code.js';

describe('A code as it is typed or pasted', () => {
  it.each([
    ['plain', '012345'],
    ['in two groups', '012 345'],
    ['with a dash', '012-345'],
    ['with a non-breaking hyphen', '012\u2011345'],
    ['with a dash that is a minus', '012\u2212345'],
    ['digit by digit', '0 1 2 3 4 5'],
    ['with dots', '0.1.2.3.4.5'],
    ['with a no-break space', '012\u00a0345'],
    ['with a narrow no-break space', '012\u202f345'],
    ['with a tab and a line break', '\t012345\r\n'],
    ['with a zero-width space behind', '012345\u200b'],
    ['with a zero-width joiner inside', '012\u200d345'],
    ['with a byte order mark before', '\ufeff012345'],
    ['with a soft hyphen', '012\u00ad345'],
    ['between marks of direction', '\u200e012345\u200f'],
    ['between embeddings of direction', '\u202a012345\u202c'],
    ['between overrides of direction', '\u202d012345\u202c'],
    ['between isolates', '\u2066012345\u2069'],
    ['with the words around it', 'Your code is 012345.'],
    ['with the words of another language', 'الرمز: 012345'],
    ['in quotes', '«012345»'],
    ['as the line for browsers', '#012345'],
    ['as keycaps', '0\ufe0f\u20e31\ufe0f\u20e32\ufe0f\u20e33\ufe0f\u20e34\ufe0f\u20e35\ufe0f\u20e3'],
    ['in Persian digits', '۰۱۲۳۴۵'],
    ['in Arabic-Indic digits', '٠١٢٣٤٥'],
    ['in Arabic-Indic digits, from right to left', '\u202b٠١٢ ٣٤٥\u202c'],
    ['in full-width digits', '０１２３４５'],
    ['in Devanagari digits', '०१२३४५'],
    ['in Bengali digits', '০১২৩৪৫'],
    ['in Tamil digits', '௦௧௨௩௪௫'],
    ['in Thai digits', '๐๑๒๓๔๕'],
    ['in Lao digits', '໐໑໒໓໔໕'],
    ['in Tibetan digits', '༠༡༢༣༤༥'],
    ['in Burmese digits', '၀၁၂၃၄၅'],
    ['in Khmer digits', '០១២៣៤៥'],
    ['in Mongolian digits', '᠐᠑᠒᠓᠔᠕'],
    ["in N'Ko digits", '߀߁߂߃߄߅'],
    ['in bold mathematical digits', '𝟎𝟏𝟐𝟑𝟒𝟓'],
    ['in double-struck digits, whose row follows another', '𝟘𝟙𝟚𝟛𝟜𝟝'],
    ['in monospace digits, whose row is the fifth', '𝟶𝟷𝟸𝟹𝟺𝟻'],
    ['in digits of several scripts', '0۱٢３४5'],
  ])('%s, is 012345', (_how, text) => {
    expect(digitsIn(text)).toBe('012345');
    expect(isCode(digitsIn(text))).toBe(true);
  });

  it('has the value of each of the digits that there are', () => {
    const rows: string[][] = [];
    for (let point = 0; point <= 0x1ffff; point += 1) {
      const character = String.fromCodePoint(point);
      if (!/\p{Nd}/u.test(character)) continue;
      const value = Number(digitsIn(character));
      if (value === 0) rows.push([]);
      rows.at(-1)?.push(String(value));
    }
    expect(rows.length).toBeGreaterThan(60);
    expect(new Set(rows.map((row) => row.join('')))).toEqual(new Set(['0123456789']));
  });

  it.each(['', 'x', '12345', '1234567', '12 34 56 78', 'one two three', '①②③④⑤⑥', '½½½', 'ⅠⅡⅢⅣⅤⅥ', '\u200b'])(
    'is none when it is %j',
    (text) => {
      expect(isCode(digitsIn(text))).toBe(false);
    },
  );
});

describe('The token of a link', () => {
  const token = 'q1w2e3r4t5y6u7i8o9p0q1w2e3r4t5y6u7i8o9p0q1w';

  it('is known by its form, whatever digits are in it', () => {
    expect(isLinkToken(token)).toBe(true);
    for (const other of [token.slice(1), `${token}x`, `${token.slice(1)} `, '123456', ''])
      expect(isLinkToken(other)).toBe(false);
  });

  it('is not taken for a code without its address, even when it was cut', () => {
    expect(isMeantAsCode(token)).toBe(false);
    expect(isMeantAsCode('q1w2e3r4t5y6')).toBe(false);
    for (const code of ['123456', '123 456', '۱۲۳۴۵۶', '\u202d123-456\u202c'])
      expect(isMeantAsCode(code)).toBe(true);
  });
});
