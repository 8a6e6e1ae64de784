import { randomBytes } from 'node:crypto';
import { ReturnPath } from '../../src/auth/vendors/smtp/return-path.js';
import { readConfig } from '../../src/config/config.js';
import { KeyedHash } from '../../src/platform/keyed-hash.js';

const messageId = 'msg_0198c0ffee7b7c1e9d1f2a3b4c5d6e7f';
const id = messageId.slice(4);
const key = randomBytes(32);
const pathWith = (hash = new KeyedHash(key), address = 'bounces@mail.example.com') =>
  new ReturnPath(readConfig({ NODE_ENV: 'test', MAIL_RETURN_PATH: address }), hash);

it('names the message, with a tag, in at most 64 characters before the @', () => {
  const address = pathWith(undefined, 'fifteen-letters@mail.example.com').addressFor(messageId) ?? '';
  expect(address).toMatch(new RegExp(`^fifteen-letters\\+${id}[0-9a-f]{16}@mail\\.example\\.com$`));
  expect(address.indexOf('@')).toBeLessThanOrEqual(64);
});

it('is recognised among other words, in any case', () => {
  const address = pathWith().addressFor(messageId) ?? '';
  expect(pathWith().uuidIn(`To: <${address}>, x@y.z`)).toBe(id);
  expect(pathWith().uuidIn(address.toUpperCase())).toBe(id);
  expect(pathWith().uuidIn(`bounces+${id}${'0'.repeat(16)}@mail.example.com ${address}`)).toBe(id);
});

it('is recognised while the hashing key is changed', () => {
  const address = pathWith().addressFor(messageId) ?? '';
  expect(pathWith(new KeyedHash(randomBytes(32), key)).uuidIn(address)).toBe(id);
  expect(pathWith(new KeyedHash(randomBytes(32))).uuidIn(address)).toBeNull();
});

it.each([
  ['no tag', (address: string) => address.replace(/[0-9a-f]{16}@/, '@')],
  ['the tag of another message', (address: string) => address.replace(id, 'f'.repeat(32))],
  ['another domain', (address: string) => address.replace('mail.example.com', 'mail.example.org')],
  ['a longer domain', (address: string) => `${address}-org`],
  ['another name', (address: string) => `x${address}`],
])('is not taken for one with %s', (_what, spoil) => {
  expect(pathWith().uuidIn(spoil(pathWith().addressFor(messageId) ?? ''))).toBeNull();
});

it('is none where none is configured', () => {
  const none = new ReturnPath(readConfig({ NODE_ENV: 'test' }), new KeyedHash(key));
  expect(none.addressFor(messageId)).toBeNull();
  expect(none.uuidIn(pathWith().addressFor(messageId) ?? '')).toBeNull();
});

it.each([
  'bounces',
  'sixteen-letters-@example.com',
  'a b@example.com',
  'bounces@localhost',
  'a+b@example.com',
])('cannot be made of %s', (address) => {
  expect(() => pathWith(undefined, address)).toThrow(/MAIL_RETURN_PATH must be an address/);
});
