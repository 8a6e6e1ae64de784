import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Webhook } from 'standardwebhooks';
import { Config } from '../../../../config.js';
import {
  EventGuard,
  headerOf,
  jsonObject,
  notAuthentic,
  notConfigured,
  rawText,
  reportLimit,
} from '../event.guard.js';

const headerNames = ['webhook-id', 'webhook-timestamp', 'webhook-signature'] as const;

/**
 * A signature as Standard Webhooks describes it, at most five minutes old
 * (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
 */
@Injectable()
export class StandardWebhookGuard extends EventGuard {
  private readonly webhook: Webhook | null;

  constructor({ events }: Config) {
    super();
    this.webhook = events.webhookSecret === undefined ? null : new Webhook(events.webhookSecret);
  }

  protected override async read(request: FastifyRequest): Promise<Record<string, unknown>> {
    if (!this.webhook) throw notConfigured();
    const text = await rawText(request, reportLimit);
    const headers = Object.fromEntries(headerNames.map((name) => [name, headerOf(request, name)]));
    try {
      this.webhook.verify(text, headers, { jsonParse: false });
    } catch (cause) {
      throw notAuthentic(cause);
    }
    return jsonObject(text);
  }
}
