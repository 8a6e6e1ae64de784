import fc from 'fast-check';
import { countingForm } from '../../src/auth/messages/counting-form.js';
import { isAllowedDestination, smsDestinationOf } from '../../src/auth/sms-abuse/sms-destination.js';

describe('where a number leads', () => {
  it.each([
    ['Germany', '+4915112345678', 'DE'],
    ['the United States', '+12125550100', 'US'],
    ['Canada', '+14165550100', 'CA'],
    ['Jamaica', '+18764567890', 'JM'],
    ['Jamaica by its newer code', '+16584567890', 'JM'],
    ['the Dominican Republic', '+18092345678', 'DO'],
    ['Puerto Rico', '+17872345678', 'PR'],
    ['Anguilla', '+12642351234', 'AI'],
    ['American Samoa', '+16842581234', 'AS'],
    ['Russia', '+79161234567', 'RU'],
    ['Kazakhstan', '+77011234567', 'KZ'],
    ['Great Britain', '+447400123456', 'GB'],
    ['Guernsey', '+447781123456', 'GG'],
    ['Jersey', '+447797123456', 'JE'],
    ['the Isle of Man', '+447624123456', 'IM'],
    ['Italy', '+393123456789', 'IT'],
    ['Norway', '+4741234567', 'NO'],
    ['Svalbard', '+4779123456', 'SJ'],
    ['Finland', '+358401234567', 'FI'],
    ['Åland', '+35818123456', 'AX'],
    ['Réunion', '+262692123456', 'RE'],
    ['Kosovo', '+38344123456', 'XK'],
    ['Curaçao', '+59995181234', 'CW'],
  ])('%s', (_country, number, expected) => {
    expect(smsDestinationOf(number)).toMatchObject({
      countries: [expected],
      scope: expected,
      digitsToName: 0,
    });
  });

  it('to one of several countries when the number tells no more', () => {
    const drama = smsDestinationOf('+447700900123');
    expect([...drama.countries].sort()).toEqual(['GB', 'GG', 'IM', 'JE']);
    expect(drama.scope).toBe('+44');
    const example = smsDestinationOf('+1234567890');
    expect(example.scope).toBe('+1');
  });

  it.each(['+999123456789', '+12', '+99'])('nowhere that is known: %s', (number) => {
    expect(smsDestinationOf(number)).toMatchObject({ countries: [], digitsToName: 0 });
  });

  it.each([
    ['satellite phones', '+881612345678', '+881'],
    ['international networks', '+882131234567', '+882'],
    ['international networks', '+883510012345678', '+883'],
    ['international premium rate', '+979123456789', '+979'],
    ['Inmarsat', '+870773123456', '+870'],
    ['international freephone', '+80012345678', '+800'],
  ])('%s belong to no country, and must be named: %s', (_what, number, callingCode) => {
    expect(smsDestinationOf(number)).toMatchObject({ countries: [], scope: callingCode, digitsToName: 3 });
  });

  it.each([
    ['+19005550100', 2],
    ['+449098790123', 3],
    ['+499001234567', 3],
    ['+33891123456', 3],
  ])('premium rate must be named by more than its calling code: %s', (number, digits) => {
    expect(smsDestinationOf(number).digitsToName).toBe(digits);
  });

  it.each([
    ['+12125550100', '+1212555'],
    ['+33612345678', '+3361234'],
    ['+4915112345678', '+49151123'],
    ['+3546111234', '+354611'],
    ['+1234567890', '+123456'],
    ['+12', '+'],
    ['+999123456789', '+999123'],
  ])('%s is one of the numbers that begin with %s', (number, prefix) => {
    expect(smsDestinationOf(number).prefix).toBe(prefix);
    expect(number.startsWith(prefix)).toBe(true);
  });

  it('takes no other spelling for another number', () => {
    expect(smsDestinationOf('+4407400123456')).toEqual(smsDestinationOf('+447400123456'));
  });

  it('cuts by the form that is counted, whatever is dialled from abroad', () => {
    expect(smsDestinationOf('+5491112345678').prefix).toBe('+54111234');
    expect(smsDestinationOf('+541112345678').prefix).toBe('+54111234');
  });

  it('is told of whatever passes for a number, by a prefix that leaves some of its digits open', () => {
    const digits = fc.stringMatching(/^[1-9][0-9]{1,14}$/);
    fc.assert(
      fc.property(digits, (text) => {
        const { prefix, scope } = smsDestinationOf(`+${text}`);
        expect(countingForm('sms', `+${text}`).startsWith(prefix)).toBe(true);
        expect(prefix.length).toBeLessThanOrEqual(10);
        expect(scope).toMatch(/^(\+\d{0,3}|[A-Z]{2})$/);
      }),
      { numRuns: 2_000 },
    );
  });

  it('gives whoever appends digits no new prefix', () => {
    const prefixes = ['+4915112345678', '+49151123456789', '+491511234567890'].map(
      (number) => smsDestinationOf(number).prefix,
    );
    expect(new Set(prefixes).size).toBe(1);
  });
});

describe('which destinations are allowed', () => {
  const usual = '+4915112345678';
  const cases: [list: string[], number: string, allowed: boolean][] = [
    [['*'], usual, true],
    [['*'], '+1234567890', true],
    [['*'], '+999123456789', true],
    [['*'], '+881612345678', false],
    [['*', '+881'], '+881612345678', true],
    [['*', '+88'], '+881612345678', false],
    [['*'], '+19005550100', false],
    [['US', '+1'], '+19005550100', false],
    [['+1900'], '+19005550100', true],
    [['DE'], usual, true],
    [['+49'], usual, true],
    [['AT', 'CH'], usual, false],
    [['AT', '+4915'], usual, true],
    [['AT', '+4916'], usual, false],
    [['US'], '+14165550100', false],
    [['US', 'CA'], '+14165550100', true],
    [['US'], '+18764567890', false],
    [['+1'], '+18764567890', true],
    [['US'], '+1234567890', false],
    [['+1'], '+1234567890', true],
    [['KZ'], '+79161234567', false],
    [['GB'], '+447781123456', false],
    [['GB'], '+447700900123', false],
    [['GB', 'GG', 'JE', 'IM'], '+447700900123', true],
    [['DE'], '+999123456789', false],
    [['+999'], '+999123456789', true],
    [['DE'], '+12', false],
  ];

  it.each(cases)('%j: %s %s', (list, number, allowed) => {
    expect(isAllowedDestination(smsDestinationOf(number), list)).toBe(allowed);
  });
});
