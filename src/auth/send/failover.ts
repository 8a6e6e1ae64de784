import { Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock.js';
import { Log } from '../../platform/log.js';
import { Metrics } from '../../platform/metrics.js';
import { uuidV7 } from '../../platform/ids.js';
import type { Channel } from '../messages/confirmation-type.js';
import type { Delivery, Outcome, ProviderAttempt } from '../messages/delivery.js';
import type { AttemptOutcome } from '../messages/message.entities.js';
import {
  type OutgoingMessage,
  PermanentDeliveryError,
  type RecipientLoss,
  TransientDeliveryError,
} from '../messages/notification-provider.js';
import { type ProviderCircuit, ProviderCircuits } from './provider-circuits.js';

/**
 * How often a provider may leave open whether it took a message before the message is given up. Each time may have been
 * a delivery, so a person gets a message at most so many times, whatever the providers' answers.
 */
const maxUnknownOutcomes = 3;

/**
 * Takes a message to the providers of its channel, in order of preference, within one attempt. One that fails for now is
 * followed by the next at once; what is refused for good is taken nowhere else.
 *
 * When the answer gets lost the same provider is asked again first, in the next attempt: it may know the message by its
 * id, no other does. When it loses its answer once more, the next one follows at once. See docs/adr/0013.
 */
@Injectable()
export class Failover {
  constructor(
    private readonly circuits: ProviderCircuits,
    private readonly clock: Clock,
    private readonly metrics: Metrics,
    private readonly log: Log,
  ) {}

  /** @param uncertain the providers that left it open whether they took this message, each as often as it did */
  async send(channel: Channel, message: OutgoingMessage, uncertain: readonly string[]): Promise<Delivery> {
    const tries: ProviderAttempt[] = [];
    for (const circuit of inOrder(this.circuits.of(channel), uncertain)) {
      if (!circuit.takesMessages) continue;
      const { attempt, recipientLoss } = await this.try(circuit, message, tries.length);
      tries.push(attempt);
      const outcome = outcomeAfter(tries, uncertain);
      if (outcome) return { outcome, tries, recipientLoss };
    }
    const reason = tries.at(-1)?.error;
    if (reason) return { outcome: { status: 'retry', reason }, tries };
    // All circuits opened since the message was found eligible.
    const waitMs = this.circuits.waitMs(channel) ?? 0;
    return { outcome: { status: 'waiting', reason: 'providers_away', waitMs }, tries };
  }

  private async try(
    circuit: ProviderCircuit,
    message: OutgoingMessage,
    before: number,
  ): Promise<{ attempt: ProviderAttempt; recipientLoss?: RecipientLoss | undefined }> {
    const started = this.clock.now();
    const { name: provider } = circuit.provider;
    const { recipientLoss, ...result } = await circuit.send(message).then(
      ({ receiptId }) => ({ outcome: 'sent' as const, receiptId, error: null, recipientLoss: undefined }),
      (error: unknown) => this.classified(error, message, provider),
    );
    this.metrics.attempts.inc({ provider, outcome: result.outcome });
    const startedAt = new Date(started);
    // Ids rise in the order of the tries, also when a millisecond sees several.
    const id = uuidV7(started + before);
    const attempt = { id, provider, ...result, startedAt, endedAt: new Date(this.clock.now()) };
    return { attempt, recipientLoss };
  }

  private classified(error: unknown, { messageId }: OutgoingMessage, provider: string) {
    const known = error instanceof PermanentDeliveryError || error instanceof TransientDeliveryError;
    if (!known) throw error;
    const { reason, cause } = error;
    const said = cause instanceof Error ? cause.message : undefined;
    this.log.info(
      { event: 'attempt', messageId, provider, reason, said },
      'A provider did not take a message',
    );
    const outcome = outcomeOf(error);
    const recipientLoss = error instanceof PermanentDeliveryError ? error.recipientLoss : undefined;
    return { outcome, receiptId: null, error: reason, recipientLoss };
  }
}

function outcomeOf(error: PermanentDeliveryError | TransientDeliveryError): AttemptOutcome {
  if (error instanceof PermanentDeliveryError) return 'permanent';
  return error.outcomeUnknown ? 'unknown' : 'transient';
}

/**
 * In order of preference, but first who lost one answer about this message, and last who lost several: the first may
 * recognise the message, the others have had their chance.
 */
function inOrder(circuits: readonly ProviderCircuit[], uncertain: readonly string[]) {
  const losses = ({ provider }: ProviderCircuit) => uncertain.filter((name) => name === provider.name).length;
  const rank = (circuit: ProviderCircuit) => [1, 0, 2][losses(circuit)] ?? 2;
  return circuits.toSorted((a, b) => rank(a) - rank(b));
}

/** What becomes of the message after the last of these tries; null when the next provider is to be asked. */
function outcomeAfter(tries: readonly ProviderAttempt[], uncertain: readonly string[]): Outcome | null {
  const last = tries.at(-1);
  if (!last) return null;
  const { outcome, provider } = last;
  const reason = last.error ?? outcome;
  if (outcome === 'sent') return { status: 'sent' };
  if (outcome === 'permanent') return { status: 'failed', reason };
  if (outcome === 'transient') return null;
  const unknown = uncertain.length + tries.filter((attempt) => attempt.outcome === 'unknown').length;
  if (unknown >= maxUnknownOutcomes) return { status: 'failed', reason: 'outcome_unknown' };
  return uncertain.includes(provider) ? null : { status: 'retry', reason };
}
