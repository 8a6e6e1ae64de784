import { Body, Controller, HttpCode, Injectable, Post, UseGuards } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ApiTags } from '@nestjs/swagger';
import { ApiError } from '../../../http/api-error.js';
import { clientIpKey } from '../../../http/client-ip.js';
import { Config } from '../../../config/config.js';
import { EventGuard, jsonObject } from '../../reports/event.guard.js';
import { Log } from '../../../platform/log.js';
import { DeliveryEvents } from '../../reports/delivery-events.js';
import {
  codeIn,
  dateIn,
  EmailCarriers,
  entryIn,
  listIn,
  objectIn,
  recipientIn,
  suppressionFor,
  uuidInMessageId,
} from '../../reports/report-fields.js';
import { ApiReport, ReportResponse } from '../../reports/report.openapi.js';
import { sesConfig } from './ses.config.js';
import { isSignedBy, SnsCertificates, SnsEndpoint, type SnsMessage, snsMessageIn } from './sns.js';
import type { DeliveryEventKind } from '../../messages/message.entities.js';
import type { ReportedEvent } from '../../reports/reported-event.js';

interface Kind {
  readonly kind: DeliveryEventKind;
  /** The member that tells of it, and the list in it that names the recipients. */
  readonly member: string;
  readonly recipients: string;
}

/** Both forms: notifications of an identity, and published events (https://docs.aws.amazon.com/ses/latest/dg/). */
const kinds: Readonly<Record<string, Kind>> = {
  Bounce: { kind: 'bounced', member: 'bounce', recipients: 'bouncedRecipients' },
  Complaint: { kind: 'complained', member: 'complaint', recipients: 'complainedRecipients' },
  Delivery: { kind: 'delivered', member: 'delivery', recipients: 'recipients' },
  DeliveryDelay: { kind: 'delayed', member: 'deliveryDelay', recipients: 'delayedRecipients' },
  Reject: { kind: 'failed', member: 'reject', recipients: '' },
};

/**
 * What a notification of SES says; null when that is nothing new.
 * @param eventId the name that SNS gave to it
 */
function sesReport(
  body: Readonly<Record<string, unknown>>,
  eventId: string,
  carriers: EmailCarriers,
): ReportedEvent | null {
  const known = entryIn(kinds, body['notificationType'] ?? body['eventType']);
  if (!known) return null;
  const { kind } = known;
  const mail = objectIn(body['mail']);
  const report = objectIn(body[known.member]);
  const recipient = listIn(report[known.recipients])[0];
  const { emailAddress, status } = objectIn(recipient);
  return {
    provider: 'ses',
    eventId,
    channel: 'email',
    messageUuid: uuidInMessageId(objectIn(mail['commonHeaders'])['messageId']),
    receipt: carriers.receipt(mail['messageId']),
    kind,
    detail: codeIn(status) ?? wordFor(report),
    // A mail is rejected when it is handed over.
    occurredAt: dateIn(report['timestamp'] ?? (kind === 'failed' ? mail['timestamp'] : undefined)),
    recipient: recipientIn(emailAddress ?? recipient, 'email'),
    suppression: suppressionFor(kind, report['bounceType'] === 'Permanent'),
  };
}

/** `Bad content`, the reason of a rejection, becomes one word. */
function wordFor({ bounceSubType, complaintFeedbackType, reason }: Readonly<Record<string, unknown>>) {
  const words = typeof reason === 'string' ? reason.trim().toLowerCase().replace(/\s+/g, '_') : null;
  return codeIn(bounceSubType) ?? codeIn(complaintFeedbackType) ?? codeIn(words);
}

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
    if (topics.length === 0) throw this.notConfigured();
    const message = snsMessageIn(jsonObject(await this.rawText(request, snsLimit)));
    if (!message) throw new ApiError('bad_json', 'Send a message of SNS');
    // Before anything is fetched: everybody can have topics of their own.
    if (!topics.includes(message.TopicArn)) throw this.notAuthentic();
    let isSigned: boolean;
    try {
      const { SigningCertURL, TopicArn } = message;
      isSigned = isSignedBy(
        await this.certificates.keyAt(SigningCertURL, TopicArn, clientIpKey(request)),
        message,
      );
    } catch (cause) {
      if (cause instanceof ApiError) throw cause;
      throw this.notAuthentic(cause);
    }
    if (!isSigned) throw this.notAuthentic();
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
    return this.events.takeAll([event]);
  }

  /** The signature covers the address, and the topic is one of ours. */
  private async confirm({ SubscribeURL, TopicArn }: SnsMessage): Promise<void> {
    try {
      await this.endpoint.fetch(SubscribeURL ?? '', TopicArn);
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
