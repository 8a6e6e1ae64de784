import { firstUuidV7, uuidV7 } from '../../src/platform/ids.js';

const moment = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

describe('a UUIDv7', () => {
  it('has the form of RFC 9562, with the moment in its first 48 bits', () => {
    const uuid = uuidV7(moment);
    expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(Number.parseInt(uuid.replace('-', '').slice(0, 12), 16)).toBe(moment);
  });

  it('rises with time', () => {
    const uuids = [0, 1, moment - 1, moment, moment + 1].map(uuidV7);
    expect([...uuids].sort()).toEqual(uuids);
  });

  it('is another one each time', () => {
    expect(new Set(Array.from({ length: 1_000 }, () => uuidV7(moment))).size).toBe(1_000);
  });

  it('is never before the first of its moment', () => {
    const first = firstUuidV7(moment);
    for (let i = 0; i < 100; i++) expect(uuidV7(moment) > first && uuidV7(moment - 1) < first).toBe(true);
  });
});
