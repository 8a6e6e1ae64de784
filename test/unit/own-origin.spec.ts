import { isFromOwnOrigin } from '../../src/http/own-origin.js';

const own = 'https://auth.example.com';

describe('A form is from a page of ours', () => {
  it.each<[boolean, Record<string, string>]>([
    [true, { 'sec-fetch-site': 'same-origin' }],
    // The browser knows better than a name that a proxy may have rewritten.
    [true, { 'sec-fetch-site': 'same-origin', origin: 'https://internal.example.com' }],
    [true, { 'sec-fetch-site': 'same-origin', origin: 'null' }],
    [true, { 'sec-fetch-site': 'none' }],
    [false, { 'sec-fetch-site': 'cross-site' }],
    [false, { 'sec-fetch-site': 'same-site' }],
    [false, { 'sec-fetch-site': 'cross-site', origin: own }],
    [false, { 'sec-fetch-site': 'same-origin, cross-site' }],
    [false, { 'sec-fetch-site': '' }],
    [false, { 'sec-fetch-site': 'Same-Origin' }],
    [true, { origin: own }],
    [true, { origin: 'https://auth.example.com:443' }],
    [true, { origin: own, referer: 'https://evil.example/' }],
    [false, { origin: 'null' }],
    [false, { origin: '' }],
    [false, { origin: 'https://evil.example', referer: `${own}/verify` }],
    [false, { origin: 'http://auth.example.com' }],
    [false, { origin: 'https://auth.example.com:8443' }],
    [false, { origin: 'https://auth.example.com.evil.example' }],
    [false, { origin: 'https://auth.example.com@evil.example' }],
    [false, { origin: 'https://example.com' }],
    [true, { referer: `${own}/verify?type=signup&token=x` }],
    [false, { referer: `https://evil.example/?${own}/verify` }],
    [false, { referer: 'auth.example.com/verify' }],
    [true, {}],
  ])('%s: %j', (isOwn, headers) => {
    expect(isFromOwnOrigin(headers, own)).toBe(isOwn);
  });

  it('whatever path its address has', () => {
    expect(isFromOwnOrigin({ origin: own }, `${own}/`)).toBe(true);
    expect(isFromOwnOrigin({ origin: 'http://localhost:8080' }, 'http://localhost:8080')).toBe(true);
  });
});
