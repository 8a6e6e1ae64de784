import { helpText, keywordIn } from '../../src/auth/reports/inbound-sms.js';

it.each([
  ...[
    'STOP',
    'stop',
    ' Stop. ',
    'STOP ALL',
    'stopall',
    'Unsubscribe',
    'cancel',
    'End',
    'QUIT',
    'revoke',
    'Opt out',
  ],
  ...['"STOP"', 'S T O P', 'Stopp', 'ABMELDEN!'],
])('takes %j for an opt-out', (text) => {
  expect(keywordIn(text)).toBe('stop');
});

it.each(['START', ' start ', 'Yes', 'unstop'])('takes %j for the way back', (text) => {
  expect(keywordIn(text)).toBe('start');
});

it.each(['HELP', 'info', 'Hilfe!'])('takes %j for a question', (text) => {
  expect(keywordIn(text)).toBe('help');
});

it.each([
  '',
  ' ',
  '123456',
  'Please stop',
  'stop it',
  'yes please',
  'stopp mal',
  'constructor',
  `STOP${' '.repeat(200)}`,
])('takes %j for nothing', (text) => {
  expect(keywordIn(text)).toBeNull();
});

it('answers a question in one SMS that says how to stop', () => {
  const text = helpText('a-rather-long-name.example.com');
  expect(text.length).toBeLessThanOrEqual(160);
  expect(text).toMatch(/^[\x20-\x7e]+$/);
  expect(text).toContain('STOP');
});
