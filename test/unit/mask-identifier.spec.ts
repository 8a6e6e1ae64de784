import { maskIdentifier } from '../../src/platform/log.js';

describe('an identifier in the log', () => {
  it.each([
    ['user@example.com', 'u***@example.com'],
    ['u@example.com', '***@example.com'],
    ['+1234567890', '+1*****7890'],
    ['+12', '+1*****'],
    ['+12345678', '+1*****5678'],
  ])('%s is shown as %s', (identifier, shown) => {
    expect(maskIdentifier(identifier)).toBe(shown);
  });
});
