import { createHash } from 'node:crypto';
import { Body, Controller, HttpCode, Injectable, Post, UseGuards } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { jwtVerify } from 'jose';
import { ApiTags } from '@nestjs/swagger';
import { Clock } from '../../../platform/clock.js';
import { Config } from '../../../config/config.js';
import {
  EventGuard,
  headerOf,
  isSame,
  jsonObject,
  notAuthentic,
  notConfigured,
  rawText,
  reportLimit,
} from '../../reports/event.guard.js';
import { DeliveryEvents } from '../../reports/delivery-events.js';
import { ApiReport, ReportResponse } from '../../reports/report.openapi.js';
import { InboundSms } from '../../reports/inbound-sms.js';
import { nameIn, recipientIn } from '../../reports/report-fields.js';
import { vonageConfig } from './vonage.config.js';
import { vonageReport } from './vonage-report.js';

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
    if (secret === undefined) throw notConfigured();
    const text = await rawText(request, reportLimit);
    const token = /^Bearer ([\w.-]+)$/i.exec(headerOf(request, 'authorization'))?.[1] ?? '';
    const given = await this.payloadHash(token, secret);
    if (!isSame(given, createHash('sha256').update(text, 'utf8').digest('hex'))) throw notAuthentic();
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
      throw notAuthentic(cause);
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
  async report(@Body() body: Record<string, unknown>): Promise<ReportResponse> {
    const event = vonageReport(body);
    if (event) await this.events.apply(event);
    return { received: event ? 1 : 0, reply: null };
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
