import { ApiError } from '../../src/http/api-error.js';
import { idempotencyKeyIn } from '../../src/auth/accept/idempotency/idempotency.guard.js';

const keyIn = (value: string) => idempotencyKeyIn({ 'idempotency-key': value });

describe('the header Idempotency-Key', () => {
  it('may be absent', () => {
    expect(idempotencyKeyIn({ accept: '*/*' })).toBeUndefined();
  });

  it.each([
    ['"8e03978e-40d5-43e8-bc93-6894a57f9324"', '8e03978e-40d5-43e8-bc93-6894a57f9324'],
    ['8e03978e-40d5-43e8-bc93-6894a57f9324', '8e03978e-40d5-43e8-bc93-6894a57f9324'],
    ['  "k"  ', 'k'],
    ['"a,b;c=d"', 'a,b;c=d'],
    [String.raw`"say \"hi\" \\o/"`.replaceAll(' ', ''), String.raw`say"hi"\o/`],
    ['YmFzZTY0+/=', 'YmFzZTY0+/='],
    [`"${'x'.repeat(255)}"`, 'x'.repeat(255)],
    ['!~', '!~'],
  ])('%s holds a key', (value, key) => {
    expect(keyIn(value)).toBe(key);
  });

  it.each([
    ['empty', ''],
    ['an empty string', '""'],
    ['a quote alone', '"'],
    ['without its second quote', '"abc'],
    ['without its first quote', 'abc"'],
    ['two strings', '"a", "b"'],
    ['two bare keys', 'a, b'],
    ['a list', 'a,b'],
    ['a string with parameters', '"a";b=c'],
    ['a bare key with parameters', 'a;b=c'],
    ['with a space', '"a b"'],
    ['with a wrong escape', String.raw`"a\b"`],
    ['with a bare backslash', String.raw`a\b`],
    ['with a control character', '"a\u0007b"'],
    ['not ASCII', '"käse"'],
    ['bare and not ASCII', 'k\u00e4se'],
    ['256 characters', 'x'.repeat(256)],
    ['256 characters in quotes', `"${'x'.repeat(256)}"`],
    ['thousands of escapes', `"${'\\\\'.repeat(4_000)}`],
  ])('is refused when it is %s', (_what, value) => {
    let refusal: unknown;
    try {
      keyIn(value);
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(ApiError);
    expect((refusal as ApiError).body()).toEqual({
      code: 400,
      error_code: 'validation_failed',
      msg: 'Invalid field',
      details: 'Idempotency-Key must be 1 to 255 visible ASCII characters in double quotes',
    });
  });
});
