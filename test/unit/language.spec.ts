import { preferredLanguage } from '../../src/pages/language.js';

describe('preferredLanguage', () => {
  it.each([
    [undefined, 'en'],
    ['', 'en'],
    ['de', 'de'],
    ['DE-at', 'de'],
    ['de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7', 'de'],
    ['en-US,en;q=0.9,de;q=0.8', 'en'],
    ['fr-CH, fr;q=0.9, de;q=0.7, *;q=0.5', 'de'],
    ['fr, it;q=0.5', 'en'],
    ['en;q=0.3, de;q=0.4', 'de'],
    ['en;q=0.5, de;q=0.5', 'en'],
    ['de;q=0.5, en;q=0.5', 'de'],
    ['de;q=0', 'en'],
    ['de;q=0.000, fr', 'en'],
    ['*', 'en'],
    ['*;q=0.1, de;q=0.05', 'en'],
    ['de ; q=1.0', 'de'],
    ['den, deutsch, x-de', 'en'],
    ['de;q=2, en;q=0.1', 'en'],
    ['de;q=-1', 'en'],
    ['de;q=0,9', 'en'],
    ['__proto__, constructor;q=1', 'en'],
    [',,;;q=1,', 'en'],
  ])('makes of %j %s', (header, language) => {
    expect(preferredLanguage(header)).toBe(language);
  });

  it('reads the longest header that a request can have at once', () => {
    expect(preferredLanguage(`${'x;q=0.1,'.repeat(2_000)}de`)).toBe('de');
    expect(preferredLanguage(`de;q=0.${'1'.repeat(16_000)}`)).toBe('en');
  });
});
