import { createHash } from 'node:crypto';
import { Body, Controller, HttpCode, Injectable, Post, UseGuards } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { jwtVerify } from 'jose';
import { ApiTags } from '@nestjs/swagger';
import { Clock } from '../../../platform/clock.js';
import { Config } from '../../../config/config.js';
import { isSecret } from '../../../platform/constant-time.js';
import { EventGuard, jsonObject } from '../../reports/event.guard.js';
import { DeliveryEvents } from '../../reports/delivery-events.js';
import { ApiReport, ReportResponse } from '../../reports/report.openapi.js';
import { InboundSms } from '../../reports/inbound-sms.js';
import { codeIn, dateIn, entryIn, nameIn, objectIn, recipientIn } from '../../reports/report-fields.js';
import { vonageConfig } from './vonage.config.js';
import { uuidOf } from '../../../platform/ids.js';
import type { DeliveryEventKind } from '../../messages/message.entities.js';
import type { ReportedEvent } from '../../reports/reported-event.js';
import { permanentReasons } from './vonage-sms.provider.js';

/** Statuses that tell something new; `submitted` is a step on the way. */
const kinds: Readonly<Record<string, DeliveryEventKind>> = {
  delivered: 'delivered',
  read: 'delivered',
  rejected: 'failed',
  undeliverable: 'failed',
};

/** What a status webhook of Vonage's Messages API says; null when that is nothing new. */
function vonageReport(body: Readonly<Record<string, unknown>>): ReportedEvent | null {
  const status = typeof body['status'] === 'string' ? body['status'] : '';
  const id = nameIn(body['message_uuid']);
  const known = entryIn(kinds, status);
  if (known === undefined || id === null) return null;
  const code = codeOf(objectIn(body['error']));
  const isGone = known === 'failed' && permanentReasons[Number(code)] === 'rejected_recipient';
  return {
    provider: 'vonage',
    // Each message reaches each status once; the name of the token changes when Vonage repeats itself.
    eventId: `${id}:${status}`,
    channel: 'sms',
    messageUuid: uuidOf(body['client_ref']),
    receipt: { id, providers: ['vonage'] },
    kind: isGone ? 'bounced' : known,
    detail: code ?? status,
    occurredAt: dateIn(body['timestamp']),
    recipient: null,
    suppression: isGone ? 'hard_bounce' : null,
  };
}

/** The code is the fragment of the type, or the title. */
function codeOf({ type, title }: Readonly<Record<string, unknown>>): string | null {
  const fragment = typeof type === 'string' ? /#(\d{1,5})$/.exec(type)?.[1] : undefined;
  return codeIn(fragment ?? title);
}

/** Clocks may differ by this much. Together with the age a token is good for five minutes. */
const clockToleranceSeconds = 60;
const maxAgeSeconds = 4 * 60;

/**
 * Vonage sends a JWT with each webhook: HS256 with the signature secret of the account, the time in `iat`, the SHA-256 of
 * the body in `payload_hash` (https://developer.vonage.com/en/getting-started/concepts/webhooks#decoding-signed-webhooks).
 * The token is bound to the body, so who sends both again tells what is known.
 */
@Injectable()
class VonageGuard extends EventGuard {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
  ) {
    super();
  }

  protected override async read(request: FastifyRequest): Promise<Record<string, unknown>> {
    const secret = vonageConfig.of(this.config).signatureSecret;
    if (secret === undefined) throw this.notConfigured();
    const text = await this.rawText(request);
    const token = /^Bearer ([\w.-]+)$/i.exec(this.headerOf(request, 'authorization'))?.[1] ?? '';
    const given = await this.payloadHash(token, secret);
    if (!isSecret(given, createHash('sha256').update(text, 'utf8').digest('hex'))) throw this.notAuthentic();
    return jsonObject(text);
  }

  private async payloadHash(token: string, secret: string): Promise<string> {
    try {
      const { payload } = await jwtVerify(token, Buffer.from(secret, 'utf8'), {
        algorithms: ['HS256'],
        currentDate: new Date(this.clock.now()),
        maxTokenAge: maxAgeSeconds,
        clockTolerance: clockToleranceSeconds,
        requiredClaims: ['iat', 'jti', 'payload_hash'],
      });
      return String(payload['payload_hash']).toLowerCase();
    } catch (cause) {
      throw this.notAuthentic(cause);
    }
  }
}

@ApiTags('Delivery events')
@Controller('events/vonage')
export class VonageEventsController {
  constructor(
    private readonly events: DeliveryEvents,
    private readonly inbound: InboundSms,
  ) {}

  @Post()
  @HttpCode(200)
  @UseGuards(VonageGuard)
  @ApiReport({
    operationId: 'reportFromVonage',
    summary: 'Status webhook of Vonage',
    description: 'Called by the Messages API with its signed JWT. Every SMS names this address.',
    consumes: 'application/json',
    example: {
      message_uuid: 'aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab',
      client_ref: 'msg_0198c0ffee7b7c1e9d1f2a3b4c5d6e7f',
      status: 'delivered',
      timestamp: '2026-01-31T12:00:00.000Z',
    },
  })
  report(@Body() body: Record<string, unknown>): Promise<ReportResponse> {
    return this.events.takeAll([vonageReport(body)]);
  }

  @Post('inbound')
  @HttpCode(200)
  @UseGuards(VonageGuard)
  @ApiReport({
    operationId: 'receiveFromVonage',
    summary: 'SMS that somebody sent to our number at Vonage',
    description:
      'Called by the Messages API with its signed JWT. STOP opts the number out, START in again. Vonage sends no ' +
      'answers to a webhook, so HELP has none.',
    consumes: 'application/json',
    example: {
      message_uuid: 'aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab',
      channel: 'sms',
      from: '1234567890',
      text: 'STOP',
    },
  })
  async receive(@Body() body: Record<string, unknown>): Promise<ReportResponse> {
    const text = typeof body['text'] === 'string' ? body['text'] : '';
    const reply = await this.inbound.receive({
      provider: 'vonage',
      eventId: nameIn(body['message_uuid']),
      from: recipientIn(body['from'], 'sms'),
      text,
    });
    return { received: 1, reply };
  }
}
