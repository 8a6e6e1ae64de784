import type { CircuitState } from './provider-circuit.js';

/** Which providers are in use, for whoever watches. A process that delivers nothing has none to tell of. */
export abstract class ProviderStates {
  /** By the name of the provider. */
  abstract read(): Promise<Readonly<Record<string, CircuitState>>>;
}
