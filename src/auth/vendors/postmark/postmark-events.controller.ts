import { Body, Controller, HttpCode, Injectable, Post, UseGuards } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ApiTags } from '@nestjs/swagger';
import { uuidOf } from '../../../platform/ids.js';
import type { DeliveryEventKind } from '../../messages/message.entities.js';
import {
  codeIn,
  dateIn,
  EmailCarriers,
  entryIn,
  nameIn,
  objectIn,
  recipientIn,
  suppressionFor,
} from '../../reports/report-fields.js';
import type { ReportedEvent } from '../../reports/reported-event.js';
import { Config } from '../../../config/config.js';
import { isSecret } from '../../../platform/constant-time.js';
import { EventGuard, jsonObject } from '../../reports/event.guard.js';
import { DeliveryEvents } from '../../reports/delivery-events.js';
import { ApiReport, ReportResponse } from '../../reports/report.openapi.js';
import { postmarkConfig } from './postmark.config.js';

/** Types of a bounce that are none, or none yet (https://postmarkapp.com/developer/api/bounce-api#bounce-types). */
const notBounced: Readonly<Record<string, DeliveryEventKind | null>> = {
  Transient: 'delayed',
  AutoResponder: null,
  AddressChange: null,
  ChallengeVerification: null,
  OpenRelayTest: null,
  Subscribe: null,
  Unsubscribe: null,
  SpamComplaint: 'complained',
};

/** After these nothing more can arrive there. */
const hard = new Set<unknown>(['HardBounce', 'BadEmailAddress']);

/** What a webhook of Postmark says; null when that is nothing new. */
function postmarkReport(
  body: Readonly<Record<string, unknown>>,
  carriers: EmailCarriers,
): ReportedEvent | null {
  const { RecordType, Type: type } = body;
  const kind = kindOf(RecordType, type);
  const id = nameIn(body['MessageID']);
  if (kind === null || id === null) return null;
  return {
    provider: 'postmark',
    // A bounce has a number of its own; a delivery there is once.
    eventId: `${id}:${kind}:${numberIn(body['ID'])}`,
    channel: 'email',
    messageUuid: uuidIn(objectIn(body['Metadata'])),
    receipt: carriers.receipt(id),
    kind,
    detail: codeIn(type),
    occurredAt: dateIn(body['BouncedAt'] ?? body['DeliveredAt']),
    recipient: recipientIn(body['Email'] ?? body['Recipient'], 'email'),
    suppression: suppressionFor(kind, hard.has(type)),
  };
}

/** Its name was a header's, and on the way of those the case changes. */
function uuidIn(metadata: Readonly<Record<string, unknown>>): string | null {
  const found = Object.entries(metadata).find(([name]) => name.toLowerCase() === 'message-id');
  return uuidOf(found?.[1]);
}

function kindOf(recordType: unknown, type: unknown): DeliveryEventKind | null {
  if (recordType === 'Delivery') return 'delivered';
  if (recordType === 'SpamComplaint') return 'complained';
  if (recordType !== 'Bounce') return null;
  const entry = entryIn(notBounced, type);
  return entry === undefined ? 'bounced' : entry;
}

function numberIn(value: unknown): string {
  return typeof value === 'number' ? String(value) : '';
}

/** A bounce may hold what the other server said at length. In bytes. */
const postmarkLimit = 256 * 1024;

/** Postmark does not sign; it logs in as the address of its webhook says (RFC 7617). */
@Injectable()
class PostmarkGuard extends EventGuard {
  constructor(private readonly config: Config) {
    super();
  }

  protected override async read(request: FastifyRequest): Promise<Record<string, unknown>> {
    const { login } = postmarkConfig.of(this.config);
    if (login === undefined) throw this.notConfigured();
    const credentials = Buffer.from(login, 'utf8').toString('base64');
    if (!isSecret(this.headerOf(request, 'authorization'), `Basic ${credentials}`)) throw this.notAuthentic();
    return jsonObject(await this.rawText(request, postmarkLimit));
  }
}

@ApiTags('Delivery events')
@Controller('events/postmark')
export class PostmarkEventsController {
  constructor(
    private readonly events: DeliveryEvents,
    private readonly carriers: EmailCarriers,
  ) {}

  @Post()
  @HttpCode(200)
  @UseGuards(PostmarkGuard)
  @ApiReport({
    operationId: 'reportFromPostmark',
    summary: 'Delivery, bounce or spam complaint from Postmark',
    description: 'Called by Postmark with user and password of the webhook (RFC 7617).',
    consumes: 'application/json',
    example: {
      RecordType: 'Bounce',
      ID: 692560173,
      Type: 'HardBounce',
      MessageID: '883953f4-6105-42a2-a16a-77a8eac79483',
      Metadata: { 'message-id': 'msg_0198c0ffee7b7c1e9d1f2a3b4c5d6e7f' },
      Email: 'user@example.com',
      BouncedAt: '2026-01-31T12:00:00.0000000Z',
    },
  })
  report(@Body() body: Record<string, unknown>): Promise<ReportResponse> {
    return this.events.takeAll([postmarkReport(body, this.carriers)]);
  }
}
