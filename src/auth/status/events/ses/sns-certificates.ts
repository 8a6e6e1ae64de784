import { type KeyObject, X509Certificate } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock } from '../../../../clock.js';
import { SnsEndpoint } from './sns-endpoint.js';

/** SNS has one certificate a region at a time. */
const maxKept = 16;
const certificatePath = /^\/SimpleNotificationService-[\w-]{1,100}\.pem$/;
const subjectName = /^CN=sns(\.[a-z0-9-]+)?\.amazonaws\.com(\.cn)?$/m;

/** The keys with which SNS signs, each fetched once. TLS, and the names in it, say that a certificate comes from there. */
@Injectable()
export class SnsCertificates {
  private readonly kept = new Map<string, Promise<X509Certificate>>();

  constructor(
    private readonly endpoint: SnsEndpoint,
    private readonly clock: Clock,
  ) {}

  /** @throws when there is no certificate of SNS at the address that is good now */
  async keyAt(address: string): Promise<KeyObject> {
    let certificate = this.kept.get(address);
    if (!certificate) {
      certificate = this.fetch(address);
      if (this.kept.size >= maxKept) this.kept.clear();
      this.kept.set(address, certificate);
      // The next message tries again.
      certificate.catch(() => this.kept.delete(address));
    }
    const { validFrom, validTo, publicKey } = await certificate;
    const now = this.clock.now();
    if (now < Date.parse(validFrom) || now > Date.parse(validTo))
      throw new Error('The certificate is not valid now');
    return publicKey;
  }

  private async fetch(address: string): Promise<X509Certificate> {
    const { pathname, search } = new URL(address);
    if (!certificatePath.test(pathname) || search !== '') throw new Error('Not the address of a certificate');
    const certificate = new X509Certificate(await this.endpoint.fetch(address));
    if (!subjectName.test(certificate.subject)) throw new Error('The certificate is not of SNS');
    return certificate;
  }
}
