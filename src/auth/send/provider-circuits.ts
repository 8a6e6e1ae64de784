import {
  circuitBreaker,
  type CircuitBreakerPolicy,
  CircuitState as CockatielState,
  ConsecutiveBreaker,
  handleAll,
  type IBackoff,
} from 'cockatiel';
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

const stateNames: Readonly<Record<CockatielState, CircuitState>> = {
  [CockatielState.Closed]: 'closed',
  [CockatielState.Open]: 'open',
  [CockatielState.HalfOpen]: 'half-open',
  [CockatielState.Isolated]: 'open',
};

type Answer = { readonly receipt: Receipt } | { readonly error: Error };

/**
 * A provider behind a circuit breaker. Only failures of the provider open it: who refuses a message, or lets one recipient
 * wait, is alive. Otherwise whoever asks for messages to mailboxes that are full could stop everybody's mail.
 */
export class ProviderCircuit {
  private readonly breaker: CircuitBreakerPolicy;
  private pause: Pause | undefined;

  /** @param onSwitch is told each new state once */
  constructor(
    readonly provider: NotificationProvider,
    private readonly clock: Clock,
    onSwitch: (state: CircuitState) => void,
  ) {
    this.breaker = circuitBreaker(handleAll, {
      breaker: new ConsecutiveBreaker(failuresToOpen),
      halfOpenAfter: { next: () => this.pauseFor(firstPauseMs) },
    });
    this.breaker.onStateChange((state) => onSwitch(stateNames[state]));
  }

  get state(): CircuitState {
    return stateNames[this.breaker.state];
  }

  /** Whether a message handed over now would reach the provider. While a probe is under way others need not wait for it. */
  get takesMessages(): boolean {
    return this.state === 'closed' || (this.state === 'open' && this.pause?.remainingMs === 0);
  }

  /** Milliseconds after which it may take messages again, at least the pause and less than twice as long. */
  waitMs(random: number): number {
    const { remainingMs = 0, ms = 0 } = this.pause ?? {};
    return Math.ceil(remainingMs + random * ms);
  }

  /**
   * Hands the message to the provider. Call it only while it takes messages.
   * @throws PermanentDeliveryError | TransientDeliveryError
   */
  async send(message: OutgoingMessage): Promise<Receipt> {
    const answer = await this.breaker.execute(() => this.ask(message));
    if ('error' in answer) throw answer.error;
    return answer.receipt;
  }

  /** Throws only what speaks against the provider. */
  private async ask(message: OutgoingMessage): Promise<Answer> {
    try {
      return { receipt: await this.provider.send(message) };
    } catch (error) {
      if (error instanceof PermanentDeliveryError) return { error };
      if (!(error instanceof TransientDeliveryError)) {
        // A provider promises to throw only the two; and who knows how far this one got.
        throw new TransientDeliveryError('internal_error', { cause: error, outcomeUnknown: true });
      }
      if (error.providerHealthy) return { error };
      throw error;
    }
  }

  private pauseFor(ms: number): Pause {
    this.pause = new Pause(this.clock, ms, () => this.pauseFor(Math.min(2 * ms, longestPauseMs)));
    return this.pause;
  }
}

/** cockatiel compares `duration` with the system's time; this one asks the service's clock whether the pause is over. */
class Pause implements IBackoff<unknown> {
  private readonly until: number;

  constructor(
    private readonly clock: Clock,
    readonly ms: number,
    readonly next: () => Pause,
  ) {
    this.until = clock.monotonic() + ms;
  }

  get remainingMs(): number {
    return Math.max(0, this.until - this.clock.monotonic());
  }

  get duration(): number {
    return this.remainingMs > 0 ? Infinity : -Infinity;
  }
}

/** Which providers are in use, for whoever watches. A process that delivers nothing has none to tell of. */
export abstract class ProviderStates {
  /** By the name of the provider. */
  abstract read(): Promise<Readonly<Record<string, CircuitState>>>;
}

/** The circuits of this process, one for each provider. Every process that delivers learns by itself who is away. */
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
