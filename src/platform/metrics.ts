import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** What the service counts about itself, in Prometheus' terms. No label names a person. */
@Injectable()
export class Metrics {
  private readonly registry = new Registry();
  /** A registry of its own, because delivery may run in a thread, which counts by itself. */
  private readonly ofDelivery = new Registry();

  readonly requests = new Histogram({
    name: 'strike_auth_http_request_seconds',
    help: 'Time to answer a request',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
    registers: [this.registry],
  });

  readonly wrongCodes = new Counter({
    name: 'strike_auth_wrong_codes_total',
    help: 'Wrong codes by type and by which count they belong to: of a message, of who asked for one, of anybody',
    labelNames: ['type', 'count'] as const,
    registers: [this.registry],
  });

  readonly deliveries = new Counter({
    name: 'strike_auth_deliveries_total',
    help: 'Attempts at delivery by what became of them',
    labelNames: ['type', 'channel', 'outcome'] as const,
    registers: [this.ofDelivery],
  });

  readonly attempts = new Counter({
    name: 'strike_auth_provider_attempts_total',
    help: 'Messages handed to a provider by what it answered; each unknown outcome may have been a delivery',
    labelNames: ['provider', 'outcome'] as const,
    registers: [this.ofDelivery],
  });

  readonly providerState = new Gauge({
    name: 'strike_auth_provider_state',
    help: 'Whether a provider is in use: 1 for the state it is in',
    labelNames: ['provider', 'state'] as const,
    registers: [this.ofDelivery],
  });

  readonly smsRefusals = new Counter({
    name: 'strike_auth_sms_refusals_total',
    help: 'SMS that were not sent (mode enforce), or would not have been (record-only), by reason',
    labelNames: ['reason', 'mode'] as const,
    registers: [this.ofDelivery],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** In Prometheus' text format, version 0.0.4. */
  async text(): Promise<string> {
    return `${await this.registry.metrics()}\n${await this.deliveryText()}`;
  }

  /** The figures of delivery alone. */
  deliveryText(): Promise<string> {
    return this.ofDelivery.metrics();
  }
}
