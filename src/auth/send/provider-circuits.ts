import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock.js';
import {
  NotificationProvider,
  type OutgoingMessage,
  PermanentDeliveryError,
  type Receipt,
  TransientDeliveryError,
} from '../messages/notification-provider.js';
import { Log } from '../../platform/log.js';
import { Metrics } from '../../platform/metrics.js';
import type { Channel } from '../messages/confirmation-type.js';

/** `open`: it is not asked; `half-open`: one message is on its way to see whether it works again. */
export const circuitStates = ['closed', 'open', 'half-open'] as const;
export type CircuitState = (typeof circuitStates)[number];

/** Failures in a row after which a provider is left alone. */
export const failuresToOpen = 5;
/** How long it is left alone before the first probe, in milliseconds; twice as long after each that fails. */
export const firstPauseMs = 5_000;
export const longestPauseMs = 60_000;

/**
 * A provider behind a circuit breaker. Only failures of the provider open it: one that refuses a message, or lets one
 * recipient wait, is alive. Otherwise requests for messages to mailboxes that are full could stop everybody's mail.
 */
export class ProviderCircuit {
  private current: CircuitState = 'closed';
  /** In a row. */
  private failures = 0;
  private pauseMs = 0;
  private pausedUntil = 0;

  /** @param onSwitch is told each new state once */
  constructor(
    readonly provider: NotificationProvider,
    private readonly clock: Clock,
    private readonly onSwitch: (state: CircuitState) => void,
  ) {}

  get state(): CircuitState {
    return this.current;
  }

  /** Whether a message handed over now would reach the provider. While a probe is under way others need not wait for it. */
  get takesMessages(): boolean {
    return this.current === 'closed' || (this.current === 'open' && this.remainingMs === 0);
  }

  /** Milliseconds after which it may take messages again, at least the pause and less than twice as long. */
  waitMs(random: number): number {
    return Math.ceil(this.remainingMs + random * this.pauseMs);
  }

  /**
   * Hands the message to the provider. Call it only while it takes messages.
   * @throws PermanentDeliveryError | TransientDeliveryError
   */
  async send(message: OutgoingMessage): Promise<Receipt> {
    const isProbe = this.current === 'open';
    if (isProbe) this.switchTo('half-open');
    try {
      const receipt = await this.provider.send(message);
      this.worked(isProbe);
      return receipt;
    } catch (cause) {
      const error = deliveryErrorOf(cause);
      if (error instanceof PermanentDeliveryError || error.providerHealthy) this.worked(isProbe);
      else this.failed(isProbe);
      throw error;
    }
  }

  private get remainingMs(): number {
    return Math.max(0, this.pausedUntil - this.clock.monotonic());
  }

  private worked(isProbe: boolean): void {
    this.failures = 0;
    if (isProbe) this.switchTo('closed');
  }

  /** What was handed over before the circuit opened says nothing new once it has. */
  private failed(isProbe: boolean): void {
    this.failures++;
    if (!isProbe && (this.current !== 'closed' || this.failures < failuresToOpen)) return;
    this.pauseMs = isProbe ? Math.min(2 * this.pauseMs, longestPauseMs) : firstPauseMs;
    this.pausedUntil = this.clock.monotonic() + this.pauseMs;
    this.switchTo('open');
  }

  private switchTo(state: CircuitState): void {
    this.current = state;
    this.onSwitch(state);
  }
}

/** A provider promises to throw only the two; how far it got with a message when it throws another is unknown. */
function deliveryErrorOf(cause: unknown): PermanentDeliveryError | TransientDeliveryError {
  const known = cause instanceof PermanentDeliveryError || cause instanceof TransientDeliveryError;
  return known ? cause : new TransientDeliveryError('internal_error', { cause, outcomeUnknown: true });
}

/** Which providers are in use, for health and figures. A process that delivers nothing has none. */
export abstract class ProviderStates {
  /** By the name of the provider. */
  abstract read(): Promise<Readonly<Record<string, CircuitState>>>;
}

/** The circuits of this process, one for each provider. Every process that delivers learns by itself which is away. */
@Injectable()
export class ProviderCircuits extends ProviderStates {
  private readonly circuits: readonly ProviderCircuit[];

  constructor(
    @Inject(NotificationProvider) providers: readonly NotificationProvider[],
    clock: Clock,
    private readonly metrics: Metrics,
    private readonly log: Log,
  ) {
    super();
    this.circuits = providers.map((provider) => {
      this.show(provider.name, 'closed');
      return new ProviderCircuit(provider, clock, (state) => this.switched(provider.name, state));
    });
  }

  /** In order of preference. */
  of(channel: Channel): readonly ProviderCircuit[] {
    return this.circuits.filter(({ provider }) => provider.channel === channel);
  }

  /** Milliseconds until a provider of the channel may be in use again; null when one is, and when there is none at all. */
  waitMs(channel: Channel): number | null {
    const circuits = this.of(channel);
    if (circuits.length === 0 || circuits.some(({ takesMessages }) => takesMessages)) return null;
    return Math.min(...circuits.map((circuit) => circuit.waitMs(Math.random())));
  }

  async read(): Promise<Readonly<Record<string, CircuitState>>> {
    return Object.fromEntries(this.circuits.map(({ provider, state }) => [provider.name, state]));
  }

  private switched(provider: string, state: CircuitState): void {
    this.show(provider, state);
    const line = { event: 'provider', provider, state };
    if (state === 'open') this.log.warn(line, 'A provider fails and is left alone for a while');
    else this.log.info(line, state === 'closed' ? 'A provider works again' : 'A provider is tried again');
  }

  private show(provider: string, current: CircuitState): void {
    for (const state of circuitStates) {
      this.metrics.providerState.set({ provider, state }, state === current ? 1 : 0);
    }
  }
}
