import fc from 'fast-check';

/** Text that breaks things: control characters, lone surrogates, look-alikes, separators, great length. */
export const awkwardText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
  fc.constantFrom(
    '',
    ' ',
    '\u0000',
    '\ud800',
    '__proto__',
    'constructor',
    'user@example.com\r\nBcc: x@example.com',
    '{{code}}',
    '%00',
    "'; DROP TABLE messages; --",
  ),
  fc.integer({ min: 1, max: 12_000 }).map((length) => 'a'.repeat(length)),
);

/** Addresses, right and wrong. */
export const address = fc.oneof(
  fc.emailAddress(),
  fc.constantFrom('user@example.com', 'USER@EXAMPLE.COM', '+1234567890', '+1 (234) 567-890'),
  fc.tuple(awkwardText, awkwardText).map(([left, right]) => `${left}@${right}`),
  awkwardText,
);

/** Any JSON value, and text that breaks things. */
export const anything = fc.oneof(awkwardText, fc.jsonValue(), fc.constant(null), fc.integer(), fc.boolean());

/** Mostly JSON, as the service wants it. */
export const contentType = fc.oneof(
  { weight: 9, arbitrary: fc.constant('application/json') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'text/plain',
      'application/json; charset=latin1',
      'application/xml',
      ';',
      'application/json;;;',
    ),
  },
);

/**
 * Checks this many generated values, ten at a time: the requests of ten are committed together, as those of a crowd are.
 *
 * @param examples values that are checked in any case
 */
export async function checkAll<T>(
  values: fc.Arbitrary<T>,
  runs: number,
  check: (value: T) => Promise<void>,
  examples: T[] = [],
): Promise<void> {
  const tens = fc.array(values, { minLength: 10, maxLength: 10 });
  await fc.assert(
    fc.asyncProperty(tens, async (ten) => {
      await Promise.all(ten.map(check));
    }),
    { numRuns: runs / 10, examples: examples.length > 0 ? [[examples]] : [] },
  );
}

/** A body and its kind for what chance might not bring: one that is too large, and one that is of no kind that is taken. */
export const rareBodies: [body: string, contentType: string][] = [
  [JSON.stringify({ type: 'x'.repeat(20_000) }), 'application/json'],
  ['{}', 'text/plain'],
];
