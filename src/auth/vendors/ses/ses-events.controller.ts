import { Body, Controller, HttpCode, Injectable, Post, UseGuards } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ApiTags } from '@nestjs/swagger';
import { ApiError } from '../../../http/api-error.js';
import { Config } from '../../../config/config.js';
import { EventGuard, jsonObject, notAuthentic, notConfigured, rawText } from '../../reports/event.guard.js';
import { Log } from '../../../platform/log.js';
import { DeliveryEvents } from '../../reports/delivery-events.js';
import { EmailCarriers } from '../../reports/report-fields.js';
import { ApiReport, ReportResponse } from '../../reports/report.openapi.js';
import { sesConfig } from './ses.config.js';
import { isSignedBy, SnsCertificates, SnsEndpoint, type SnsMessage, snsMessageIn } from './sns.js';
import { sesReport } from './ses-report.js';

/** SNS sends at most 256 KiB of text, which JSON may write longer. In bytes. */
const snsLimit = 512 * 1024;

/** A message of SNS from one of the configured topics, with a signature of SNS. */
@Injectable()
class SnsGuard extends EventGuard {
  constructor(
    private readonly config: Config,
    private readonly certificates: SnsCertificates,
  ) {
    super();
  }

  protected override async read(request: FastifyRequest): Promise<SnsMessage> {
    const { topics } = sesConfig.of(this.config);
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

@ApiTags('Delivery events')
@Controller('events/ses')
export class SesEventsController {
  constructor(
    private readonly events: DeliveryEvents,
    private readonly carriers: EmailCarriers,
    private readonly endpoint: SnsEndpoint,
    private readonly log: Log,
  ) {}

  @Post()
  @HttpCode(200)
  @UseGuards(SnsGuard)
  @ApiReport({
    operationId: 'reportFromSes',
    summary: 'Notification of Amazon SES, by way of SNS',
    description:
      'Signed by SNS, for one of the configured topics. A subscription of such a topic is confirmed at once.',
    consumes: 'text/plain',
    example: '{"Type":"Notification","MessageId":"…","TopicArn":"…","Message":"{…}","Signature":"…"}',
  })
  async report(@Body() message: SnsMessage): Promise<ReportResponse> {
    if (message.Type === 'SubscriptionConfirmation') await this.confirm(message);
    const event =
      message.Type === 'Notification'
        ? sesReport(jsonObject(message.Message), message.MessageId.slice(0, 200), this.carriers)
        : null;
    if (event) await this.events.apply(event);
    return { received: event ? 1 : 0, reply: null };
  }

  /** The signature covers the address, and the topic is one of ours. */
  private async confirm({ SubscribeURL, TopicArn }: SnsMessage): Promise<void> {
    try {
      await this.endpoint.fetch(SubscribeURL ?? '');
      this.log.info({ event: 'sns_subscription', topic: TopicArn }, 'A subscription was confirmed');
    } catch (err) {
      if (err instanceof ApiError) throw err;
      this.log.warn(
        { err, topic: TopicArn },
        'A subscription could not be confirmed; request it again in SNS',
      );
    }
  }
}
