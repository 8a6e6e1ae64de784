import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../../../../api-error.js';
import { Config } from '../../../../config.js';
import { EventGuard, jsonObject, notAuthentic, notConfigured, rawText } from '../event.guard.js';
import { SnsCertificates } from './sns-certificates.js';
import { isSignedBy, snsMessageIn, type SnsMessage } from './sns-message.js';

/** SNS sends at most 256 KiB of text, which JSON may write longer. In bytes. */
const snsLimit = 512 * 1024;

/** A message of SNS from one of the configured topics, with a signature of SNS. */
@Injectable()
export class SnsGuard extends EventGuard {
  constructor(
    private readonly config: Config,
    private readonly certificates: SnsCertificates,
  ) {
    super();
  }

  protected override async read(request: FastifyRequest): Promise<SnsMessage> {
    const topics = this.config.events.sesTopics;
    if (topics.length === 0) throw notConfigured();
    const message = snsMessageIn(jsonObject(await rawText(request, snsLimit)));
    if (!message) throw new ApiError('bad_json', 'Send a message of SNS');
    // Before anything is fetched: everybody can have topics of their own.
    if (!topics.includes(message.TopicArn)) throw notAuthentic();
    let isSigned: boolean;
    try {
      isSigned = isSignedBy(await this.certificates.keyAt(message.SigningCertURL), message);
    } catch (cause) {
      if (cause instanceof ApiError) throw cause;
      throw notAuthentic(cause);
    }
    if (!isSigned) throw notAuthentic();
    return message;
  }
}
