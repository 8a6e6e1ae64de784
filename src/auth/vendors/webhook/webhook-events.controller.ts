import { Body, Controller, Headers, HttpCode, Inject, Injectable, Post, UseGuards } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Webhook } from 'standardwebhooks';
import { ApiTags } from '@nestjs/swagger';
import { Config } from '../../../config/config.js';
import { EventGuard, jsonObject } from '../../reports/event.guard.js';
import type { Channel } from '../../messages/confirmation-type.js';
import { NotificationProvider } from '../../messages/notification-provider.js';
import { DeliveryEvents } from '../../reports/delivery-events.js';
import { ApiReport, ReportResponse } from '../../reports/report.openapi.js';
import { InboundSms } from '../../reports/inbound-sms.js';
import {
  codeIn,
  dateIn,
  entryIn,
  nameIn,
  objectIn,
  recipientIn,
  suppressionFor,
} from '../../reports/report-fields.js';
import { webhookConfig } from './webhook.config.js';
import { uuidOf } from '../../../platform/ids.js';
import type { DeliveryEventKind } from '../../messages/message.entities.js';
import type { ReportedEvent } from '../../reports/reported-event.js';

const kinds: Readonly<Record<string, DeliveryEventKind>> = {
  'message.delayed': 'delayed',
  'message.delivered': 'delivered',
  'message.bounced': 'bounced',
  'message.complained': 'complained',
  'message.failed': 'failed',
};

/**
 * What a gateway of one's own says, of mail or SMS; null when that is nothing new.
 * @param webhookId names the event, the same each time it is sent
 * @param usualChannel what it is about unless it says so itself; null when that may be either
 */
function webhookReport(
  body: Readonly<Record<string, unknown>>,
  webhookId: string | undefined,
  usualChannel: Channel | null,
): ReportedEvent | null {
  const kind = entryIn(kinds, body['type']);
  const eventId = nameIn(webhookId);
  if (kind === undefined || eventId === null) return null;
  const data = objectIn(body['data']);
  const receipt = nameIn(data['id']);
  const { recipient, channel } = data;
  return {
    provider: 'webhook',
    eventId,
    channel: channel === 'email' || channel === 'sms' ? channel : usualChannel,
    messageUuid: uuidOf(data['message_id']),
    receipt: receipt === null ? null : { id: receipt, providers: ['webhook'] },
    kind,
    detail: codeIn(data['detail']),
    occurredAt: dateIn(body['timestamp']),
    recipient: recipientIn(recipient, 'email') ?? recipientIn(recipient, 'sms'),
    suppression: suppressionFor(kind, data['permanent'] === true),
  };
}

const headerNames = ['webhook-id', 'webhook-timestamp', 'webhook-signature'] as const;

/**
 * A signature as Standard Webhooks describes it, at most five minutes old
 * (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
 */
@Injectable()
class StandardWebhookGuard extends EventGuard {
  private readonly webhook: Webhook | null;

  constructor(config: Config) {
    super();
    const { reportSecret } = webhookConfig.of(config);
    this.webhook = reportSecret === undefined ? null : new Webhook(reportSecret);
  }

  protected override async read(request: FastifyRequest): Promise<Record<string, unknown>> {
    if (!this.webhook) throw this.notConfigured();
    const text = await this.rawText(request);
    const headers = Object.fromEntries(headerNames.map((name) => [name, this.headerOf(request, name)]));
    try {
      this.webhook.verify(text, headers, { jsonParse: false });
    } catch (cause) {
      throw this.notAuthentic(cause);
    }
    return jsonObject(text);
  }
}

@ApiTags('Delivery events')
@Controller('events/webhook')
export class WebhookEventsController {
  /** SMS when a gateway of one's own carries them: then mail is reported on by whoever says so. */
  private readonly usualChannel: Channel | null;

  constructor(
    private readonly events: DeliveryEvents,
    private readonly inbound: InboundSms,
    @Inject(NotificationProvider) providers: readonly NotificationProvider[],
  ) {
    this.usualChannel = providers.find(({ name }) => name === 'webhook')?.channel ?? null;
  }

  @Post()
  @HttpCode(200)
  @UseGuards(StandardWebhookGuard)
  @ApiReport({
    operationId: 'reportFromGateway',
    summary: 'Report of a gateway of your own, for mail or SMS',
    description:
      'Signed as Standard Webhooks describe it. `type` is `message.delivered`, `message.delayed`, `message.bounced`, ' +
      '`message.complained` or `message.failed`; `data` names the message by `message_id`, or by `id`, which the gateway ' +
      'answered when it took an SMS over, and may hold `detail` (a code or a word), `permanent` (a bounce after which ' +
      'nothing more is sent there), `recipient` and `channel`. Without `channel` (`email` or `sms`) a report is about SMS when ' +
      '`SMS_WEBHOOK_URL` is set, and else about the message that it names. Or `type` is `sms.received`, and `data` holds `id`, `from` and ' +
      '`text`: STOP opts the number out, START in again, and what HELP is answered with is `reply`.',
    consumes: 'application/json',
    example: {
      type: 'message.bounced',
      timestamp: '2026-01-31T12:00:00.000Z',
      data: { message_id: 'msg_0198c0ffee7b7c1e9d1f2a3b4c5d6e7f', detail: '5.1.1', permanent: true },
    },
  })
  report(
    @Body() body: Record<string, unknown>,
    @Headers('webhook-id') webhookId?: string,
  ): Promise<ReportResponse> {
    if (body['type'] === 'sms.received') return this.receive(objectIn(body['data']), webhookId);
    return this.events.takeAll([webhookReport(body, webhookId, this.usualChannel)]);
  }

  private async receive(
    data: Readonly<Record<string, unknown>>,
    webhookId: string | undefined,
  ): Promise<ReportResponse> {
    const reply = await this.inbound.receive({
      provider: 'webhook',
      eventId: nameIn(data['id']) ?? nameIn(webhookId),
      from: recipientIn(data['from'], 'sms'),
      text: typeof data['text'] === 'string' ? data['text'] : '',
    });
    return { received: 1, reply };
  }
}
