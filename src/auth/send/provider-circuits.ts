import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { Log } from '../../log.js';
import { Metrics } from '../../operations/metrics.js';
import type { Channel } from '../confirmation-type.js';
import { NotificationProvider } from './notification-provider.js';
import { type CircuitState, circuitStates, ProviderCircuit } from './provider-circuit.js';
import { ProviderStates } from './provider-states.js';

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
