import { SnsCertificates } from '../../src/auth/vendors/ses/sns.js';
import { certificateUrl, LocalSns } from '../support/sns.js';
import { TestClock } from '../support/test-clock.js';

const centuryMs = 100 * 366 * 86_400_000;

let sns: LocalSns;
let clock: TestClock;
let certificates: SnsCertificates;

beforeEach(async () => {
  sns = await LocalSns.start();
  clock = new TestClock();
  certificates = new SnsCertificates(sns, clock);
});
afterEach(() => sns.server.stop());

it('fetches a certificate once, also for those who ask at the same time', async () => {
  await Promise.all([certificates.keyAt(certificateUrl), certificates.keyAt(certificateUrl)]);
  expect((await certificates.keyAt(certificateUrl)).asymmetricKeyType).toBe('rsa');
  expect(sns.asked).toEqual(['/SimpleNotificationService-0011aabb.pem']);
});

it.each([-centuryMs, centuryMs])('takes no certificate whose time is not now, by %i ms', async (off) => {
  await certificates.keyAt(certificateUrl);
  clock.advance(off);
  await expect(certificates.keyAt(certificateUrl)).rejects.toThrow('not valid now');
});

it('asks again after a failure', async () => {
  sns.presents('', 500);
  await expect(certificates.keyAt(certificateUrl)).rejects.toThrow();
  sns.presents('no certificate');
  await expect(certificates.keyAt(certificateUrl)).rejects.toThrow();
  sns.recovers();
  await expect(certificates.keyAt(certificateUrl)).resolves.toBeDefined();
});
