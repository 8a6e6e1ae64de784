import { createSign, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { SnsEndpoint } from '../../src/auth/vendors/ses/sns.js';
import { SmsGateway } from './sms-gateway.js';

export const topicArn = 'arn:aws:sns:eu-central-1:123456789012:mail';
export const certificateUrl = 'https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0011aabb.pem';

/** Made for these tests, and good for nothing else. */
const privateKey = `-----BEGIN PRIVATE KEY-----
MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQDezdcKDeewKkR8
6PnmYZqaifK+cN5poF8iyh6UxknV5mMiHcQXmYo0aJbz2xmBCQQweM6kRM4dr2Mj
5p0edws14RUcimFBH56016KsC+o6MXVY8wfJrADdpGVo7AfPaoPdfIiR86FoCeho
haoiLXdOPgMW5sa8KO0B/PzVEpa4UPRFGZVC6gZr/glATF7oPjIM1Dd/mIIqNDVk
gcXY7fdF8+OtC1k/eT/KXAgf9QeqM8yqeg0IESazefHQ950nAtIne+k3Hdzrv8EG
mYOgwzE9TrKRcLZANtccilQdd6Tk5vP6fUwSDHUr54b7aRFvP9HR9Zzk5BNCuRHm
icH349qdAgMBAAECggEAKXV+FUXfHf3PfrrPfZod7bHLtLpF+Lu52DxqEl8PcDkN
q1SEn6uXdwcbR8c2aLdnyyk/snuHKyjutsh75iZatKzsg8IQNNEQdDBH+eHBtRBs
+J9IjLNv+c5UfICnN2ZnoThCJX6DQ1vMnl54+SEiuTF627EXu/2VlLAhz/hEiYlV
+RneoZkiuZZvH+71WH8TAnKI6fmjYJ7907Oe3iet5+gKum/xy+Uui7JRkU3uXjxh
RoC+OJn227Aadp/A+/SaICm+4hUeD/I/CwRgmmQiBvx4aP64dCKB6J3jHO38AUre
9yVsRszuzCKewomO3GSA/j+DH18pZ3fBeceNm45JQQKBgQDvDbxYAt7X7SNbAldz
EphTwz7tUvFAe/QUAHEvCbRz+LyZPYm46x70rTSxs7ksUWftYGhjVmJo3nzY6s98
45zLfgZJPB1Dyzxl8P70tz4jxvnJ1wiuqq7XY5tLGnL9xPI8zc5cqLOsUY8rHKB/
8/zXz1KUWkJWKJyYFG0MIpTbDQKBgQDumTZTSDxL7rKHUJM3tjwZU9ughpKHpGsc
8myw4vIjWtys0OVluP1kxNef50eZLQhsjGIMPsnP1GF1NR/34V+khz6v9YtahuK5
P/pqqdscoxj9L4+nS76T519u5A14juxgTvSZdvdjoIYaZGnHtJVtCCWuXIbk8/cM
Rax08avZ0QKBgDsc/GwPGafvfgStSY6tFHnyGAd7sSiu/iZMDbECB1t+MLT8IKhX
i+oZQqSGus2Yu8hZRLb7z437JohFWFWbu1Qer9NASERRZ3gV5hYBkh4qv+4HfKAk
mOOuP+KMgc76+qPKiLMlDHkaGfshMxcw8F81Z0hEIY9Ir6BzvJt5mbGpAoGBAL//
eFDCIwszVGRA+YZuVaRH78cYI1eVfkA38DDTHuhGWKeUHdSibP2mzKC3Gs1vCIVY
3hleeUWNcLNBga0VpcIettofa/j37AAINLmaX2CG+jfbCu0jrYMVP51bVF+8GwhQ
4NGRgvefl+oq/Vgfv9KSKMhLWp1omFc+xc0BIDnRAoGBAJIRjzURTOkl3e9OnfLV
ZaeFNirxPUsUh7b3hJWoThX7/Ai2XTma+/BBFUO50G88+ax8s6u5CXr10zb9Mh0a
nrzyW15zz9zyv+4PCJzhTxCXV9ib8hiKD1RkeqnvFZHf8eJ9cZVgvf+ckEmyhpDm
0Ru9bKED1E8fB/exJvUKtWg/
-----END PRIVATE KEY-----
`;

/** For the key above, in the name `sns.amazonaws.com`. */
const certificate = `-----BEGIN CERTIFICATE-----
MIIDGzCCAgOgAwIBAgIUNtIp7xCQVY7y5Fmlj33FYq/oPJIwDQYJKoZIhvcNAQEL
BQAwHDEaMBgGA1UEAwwRc25zLmFtYXpvbmF3cy5jb20wIBcNMjYxMTIxMDg1MjQy
WhgPMjEyNjEwMjgwODUyNDJaMBwxGjAYBgNVBAMMEXNucy5hbWF6b25hd3MuY29t
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA3s3XCg3nsCpEfOj55mGa
monyvnDeaaBfIsoelMZJ1eZjIh3EF5mKNGiW89sZgQkEMHjOpETOHa9jI+adHncL
NeEVHIphQR+etNeirAvqOjF1WPMHyawA3aRlaOwHz2qD3XyIkfOhaAnoaIWqIi13
Tj4DFubGvCjtAfz81RKWuFD0RRmVQuoGa/4JQExe6D4yDNQ3f5iCKjQ1ZIHF2O33
RfPjrQtZP3k/ylwIH/UHqjPMqnoNCBEms3nx0PedJwLSJ3vpNx3c67/BBpmDoMMx
PU6ykXC2QDbXHIpUHXek5Obz+n1MEgx1K+eG+2kRbz/R0fWc5OQTQrkR5onB9+Pa
nQIDAQABo1MwUTAdBgNVHQ4EFgQU8cNzaPmW/bspvvbbggK4IvEynoEwHwYDVR0j
BBgwFoAU8cNzaPmW/bspvvbbggK4IvEynoEwDwYDVR0TAQH/BAUwAwEB/zANBgkq
hkiG9w0BAQsFAAOCAQEAu5RXUhaSTlb3YApZXbM9k6raB2jxHWttL6yCsPaNDJHk
Oei/8pF7Mf5COBB/fXb2N4PqfLDWAiU2m17UMALiWw5XKzdm5B70bMnjOswRijsM
0KGeq/oWoTQirhnBYl09a68KUQJgCYkY9g85zSLnOwZFD/3gLMp4HqTTAKMI0MO0
yy1RhzylocoZwrjEvV+uffMCm8Rif0IuUYjaYXGDhs4/0jfY6AJs2XXWs0bCCYpA
V6odXaFOdjvzykLxq62Kcj20bTYeMK73J8cKmE18xlpLBtR8pDTShPM2NT0kbOcy
1UOfUYDShubvzUar6G4kDfDVOJrop2qiG1CdK5KTVQ==
-----END CERTIFICATE-----
`;

/** In the name `sns.amazonaws.com.evil.example`. */
export const certificateOfAnother = `-----BEGIN CERTIFICATE-----
MIIDNTCCAh2gAwIBAgIUIw4/nm96VE1H2ez/NHCiph1i0hUwDQYJKoZIhvcNAQEL
BQAwKTEnMCUGA1UEAwwec25zLmFtYXpvbmF3cy5jb20uZXZpbC5leGFtcGxlMCAX
DTI2MTEyMTA4NTI0M1oYDzIxMjYxMDI4MDg1MjQzWjApMScwJQYDVQQDDB5zbnMu
YW1hem9uYXdzLmNvbS5ldmlsLmV4YW1wbGUwggEiMA0GCSqGSIb3DQEBAQUAA4IB
DwAwggEKAoIBAQDGSVIU7Ryhfmt8+0OVgBufqTv90i8CJgUztOfiWuHeLH2MD4Ml
S/3u/0C02t+5R3Kuq7U7v5Oq129cYCbjbdl1dG7sOBhe0vLnjmhhAVYJPehFWyQg
5AbRgRIdqjEiirDMogp9egzTMoAqUUC8/G6wCn676XVoIKmQakKsdPz0Fo6Pjp9m
lMW5cLZJh02Aaar5xvJrwUQdcV9kqv6pw5BK9LnM1mWSBM79cuUUXwYJavirQDfk
7TSbm/fGHc7DIgm0PlpdIqoBuZglA14ZuPUyyAk0AcfwoFyndtPP36RXVxShv/XQ
y6XFa2uzWroheJo56xTjkUdudumamv25gLGFAgMBAAGjUzBRMB0GA1UdDgQWBBRe
sUFVwlJMysnbmE68iM+Boo7EIzAfBgNVHSMEGDAWgBResUFVwlJMysnbmE68iM+B
oo7EIzAPBgNVHRMBAf8EBTADAQH/MA0GCSqGSIb3DQEBCwUAA4IBAQBLA49JEqYK
VjN6A5U2nlf5lfbQ8gyb3deg4SntHvKQNfeS08iQsmZyaR4ox34cx/lK3rUZo9rI
c7zXTwsa3axi353WpSelRVsHttNDeApc1urNNCow4dnX92JmxDPYodxwEBV2hYh5
IQrT/HaVldVXuKhmZz5BULmvpejwFtnK6mWltk2Eb4s1PIW4d5/1sQUWFMmiTk0Y
aOpLINtRgFuSGNHke8xQx+uvjBb4CDkgoKRVOjyd7V37D8fWe1VgaDa2ta68GlY/
SDuV8oJnbBqCcpcabZazBGy/q71/1NtGoWAGK22GPX/SiRXtCAl5oIo/6rA5a1um
JBh4eRfn5Frm
-----END CERTIFICATE-----
`;

/** SNS on this machine: the addresses are checked as ever, and only then is somebody else asked. */
export class LocalSns extends SnsEndpoint {
  private constructor(readonly server: SmsGateway) {
    super();
  }

  static async start(): Promise<LocalSns> {
    const sns = new LocalSns(await SmsGateway.start());
    sns.presents(certificate);
    return sns;
  }

  /** What it has been asked for, oldest first. */
  get asked(): string[] {
    return this.server.requests.map(({ path }) => path);
  }

  presents(pem: string, status = 200): void {
    this.server.answerWith(status, pem);
  }

  recovers(): void {
    this.presents(certificate);
  }

  protected override ask(url: URL): Promise<Response> {
    return fetch(new URL(url.pathname + url.search, this.server.url));
  }
}

export type SnsFields = Record<string, string>;

/** A message as SNS posts it, signed. */
export function snsMessage(fields: SnsFields, key: KeyObject | string = privateKey): SnsFields {
  const message: SnsFields = {
    Type: 'Notification',
    MessageId: randomUUID(),
    TopicArn: topicArn,
    Message: '{}',
    Timestamp: '2026-01-31T12:00:00.000Z',
    SignatureVersion: '2',
    SigningCertURL: certificateUrl,
    ...fields,
  };
  const signed = ['Message', 'MessageId', 'Subject', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type']
    .flatMap((name) => (message[name] === undefined ? [] : [`${name}\n${message[name]}\n`]))
    .join('');
  const algorithm = message['SignatureVersion'] === '1' ? 'sha1' : 'sha256';
  return { ...message, Signature: createSign(algorithm).update(signed).sign(key, 'base64') };
}

export function anotherKey(): KeyObject {
  return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
}
