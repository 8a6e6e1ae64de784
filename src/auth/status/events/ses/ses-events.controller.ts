import { Body, Controller, HttpCode, Post, UseGuards } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { ApiError } from '../../../../api-error.js';
import { Log } from '../../../../log.js';
import { DeliveryEvents } from '../delivery-events.js';
import { EmailCarriers } from '../email-carriers.js';
import { jsonObject } from '../event.guard.js';
import { ApiReport } from '../events.openapi.js';
import { ReportResponse } from '../report.response.js';
import { sesReport } from './ses-report.js';
import { SnsEndpoint } from './sns-endpoint.js';
import type { SnsMessage } from './sns-message.js';
import { SnsGuard } from './sns.guard.js';

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
