import { ApiError } from '../../src/http/api-error.js';
import { SnsCertificates } from '../../src/auth/vendors/ses/sns.js';
import { certificateUrl, LocalSns, topicArn } from '../support/sns.js';
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

const keyAt = (address: string, topic = topicArn, client = '192.0.2.1') =>
  certificates.keyAt(address, topic, client);

it('fetches a certificate once, also for those who ask at the same time', async () => {
  await Promise.all([keyAt(certificateUrl), keyAt(certificateUrl)]);
  expect((await keyAt(certificateUrl)).asymmetricKeyType).toBe('rsa');
  expect(sns.asked).toEqual(['/SimpleNotificationService-0011aabb.pem']);
});

it.each([-centuryMs, centuryMs])('takes no certificate whose time is not now, by %i ms', async (off) => {
  await keyAt(certificateUrl);
  clock.advance(off);
  await expect(keyAt(certificateUrl)).rejects.toThrow('not valid now');
});

it('asks again after a failure', async () => {
  sns.presents('', 500);
  await expect(keyAt(certificateUrl)).rejects.toThrow();
  sns.presents('no certificate');
  await expect(keyAt(certificateUrl)).rejects.toThrow();
  sns.recovers();
  await expect(keyAt(certificateUrl)).resolves.toBeDefined();
});

const topicIn = (region: string, partition = 'aws') => `arn:${partition}:sns:${region}:123456789012:mail`;
const file = 'SimpleNotificationService-0011aabb.pem';

it.each([
  ['eu-central-1', 'aws', 'sns.eu-central-1.amazonaws.com'],
  ['ap-southeast-2', 'aws', 'sns.ap-southeast-2.amazonaws.com'],
  ['us-gov-west-1', 'aws-us-gov', 'sns.us-gov-west-1.amazonaws.com'],
  ['cn-north-1', 'aws-cn', 'sns.cn-north-1.amazonaws.com.cn'],
])('takes a certificate for a topic in %s of %s from %s', async (region, partition, host) => {
  await expect(keyAt(`https://${host}/${file}`, topicIn(region, partition))).resolves.toBeDefined();
  await expect(
    keyAt(`HTTPS://${host.toUpperCase()}:443/${file}`, topicIn(region, partition)),
  ).resolves.toBeDefined();
});

it.each([
  // Buckets, access points and services that anybody may have under such a name.
  'https://sns.s3-us-west-2.amazonaws.com',
  'https://sns.s3-eu-central-1.amazonaws.com',
  'https://sns.s3-accelerate.amazonaws.com',
  'https://sns.s3-website-eu-west-1.amazonaws.com',
  'https://sns.s3.amazonaws.com',
  'https://sns.s3.eu-central-1.amazonaws.com',
  'https://sns.s3-external-1.amazonaws.com',
  'https://sns.s3-fips.amazonaws.com',
  'https://sns.execute-api.amazonaws.com',
  'https://sns.execute-api.eu-central-1.amazonaws.com',
  'https://sns.elb.amazonaws.com',
  'https://sns.eu-central-1.elb.amazonaws.com',
  'https://sns.lambda-url.eu-central-1.on.aws',
  'https://s3.amazonaws.com/sns',
  'https://s3-eu-central-1.amazonaws.com',
  'https://sqs.eu-central-1.amazonaws.com',
  'https://eu-central-1.sns.amazonaws.com',
  'https://sns.amazonaws.com',
  // SNS, but not of this topic.
  'https://sns.us-east-1.amazonaws.com',
  'https://sns.eu-central-2.amazonaws.com',
  'https://sns.eu-central-1.amazonaws.com.cn',
  'https://sns.cn-north-1.amazonaws.com.cn',
  // Spelt so that it might be taken for it.
  'http://sns.eu-central-1.amazonaws.com',
  'https://sns.eu-central-1.amazonaws.com.',
  'https://sns.eu-central-1.amazonaws.com:8443',
  'https://sns@sns.eu-central-1.amazonaws.com',
  'https://:x@sns.eu-central-1.amazonaws.com',
  'https://sns.eu-central-1.amazonaws.com@evil.example',
  'https://sns.eu-central-1.amazonaws.com.evil.example',
  'https://sns.eu-central-1.amazonaws.com%2eevil.example',
  'https://snsxeu-central-1.amazonaws.com',
  'https://sns.eu-central-1xamazonaws.com',
  'https://x.sns.eu-central-1.amazonaws.com',
  'https://xn--sns-zna.eu-central-1.amazonaws.com',
  'ftp://sns.eu-central-1.amazonaws.com',
  '//sns.eu-central-1.amazonaws.com',
])('asks nobody at %s', async (place) => {
  await expect(keyAt(`${place}/${file}`)).rejects.not.toBeInstanceOf(ApiError);
  await expect(sns.fetch(`${place}/${file}`, topicArn)).rejects.not.toBeInstanceOf(ApiError);
  expect(sns.asked).toEqual([]);
});

describe('For those who have proved nothing', () => {
  const another = (n: number) => certificateUrl.replace('0011aabb', String(n));
  const refusal = (asked: Promise<unknown>) =>
    asked.then(
      () => null,
      (error: unknown) => error,
    );

  it('it fetches ten certificates in ten minutes, and what is there already is still theirs', async () => {
    await keyAt(certificateUrl);
    sns.presents('', 404);
    for (let n = 0; n < 50; n++) await refusal(keyAt(another(n)));
    expect(sns.asked).toHaveLength(10);
    expect(await refusal(keyAt(another(50)))).toMatchObject({ status: 503 });
    await expect(keyAt(certificateUrl)).resolves.toBeDefined();
    sns.recovers();
    await expect(keyAt(another(51), topicArn, '192.0.2.2')).resolves.toBeDefined();
    clock.advance(10 * 60_000);
    await expect(keyAt(another(52))).resolves.toBeDefined();
  });

  it('it fetches sixty for all of them together', async () => {
    sns.presents('', 404);
    for (let n = 0; n < 100; n++) await refusal(keyAt(another(n), topicArn, `192.0.2.${n}`));
    expect(sns.asked).toHaveLength(60);
  });
});
