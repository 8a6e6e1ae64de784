import type { CircuitState } from '../auth/send/provider-circuit.js';
import { ProviderStates } from '../auth/send/provider-states.js';

type States = Readonly<Record<string, CircuitState>>;

/** The states of the providers that the delivery thread asks; none before it has begun. */
export class ThreadProviderStates extends ProviderStates {
  private ask: () => Promise<States> = () => Promise.resolve({});

  override read(): Promise<States> {
    return this.ask();
  }

  readBy(ask: () => Promise<States>): void {
    this.ask = ask;
  }
}
