import { Injectable } from '@nestjs/common';
import { Log } from '../../platform/log.js';
import { messageIdOf } from '../../platform/ids.js';
import { type Channel, purposeOf } from '../messages/confirmation-type.js';
import type { ClaimedMessage, Delivery, ProviderAttempt } from '../messages/delivery.js';
import type { OutgoingMessage } from '../messages/notification-provider.js';
import { SuppressionList, type SuppressionReason } from '../messages/suppression-list.js';
import { SmsAllowance } from '../sms-abuse/sms-allowance.js';
import { GuessTotals } from '../tokens/guess-totals.js';
import type { SecretForm } from '../tokens/token-mint.js';
import { TokenService } from '../tokens/token.service.js';
import { Eligibility, type Recipient } from './eligibility.js';
import { Failover } from './failover.js';
import { MessageRenderer } from './message-renderer.js';
import { RecipientLimit } from './recipient-limit.js';

/**
 * Sees one accepted message through an attempt. `Eligibility` says whom it goes to and whether it may; here is how: users,
 * tokens and providers meet.
 */
@Injectable()
export class ResendService {
  constructor(
    private readonly eligibility: Eligibility,
    private readonly tokens: TokenService,
    private readonly guessTotals: GuessTotals,
    private readonly renderer: MessageRenderer,
    private readonly failover: Failover,
    private readonly smsAllowance: SmsAllowance,
    private readonly recipientLimit: RecipientLimit,
    private readonly suppressions: SuppressionList,
    private readonly log: Log,
  ) {}

  async deliver(message: ClaimedMessage): Promise<Delivery> {
    const verdict = await this.eligibility.recipientOf(message);
    if ('status' in verdict) return { outcome: verdict, tries: [] };
    let tries: readonly ProviderAttempt[] = [];
    try {
      const delivery = await (message.channel === 'sms'
        ? this.sendWithinBudget(message, verdict)
        : this.send(message, verdict));
      tries = delivery.tries;
      return delivery;
    } finally {
      const mayHaveLeft = tries.some(({ outcome }) => outcome === 'sent' || outcome === 'unknown');
      if (!mayHaveLeft) await this.recipientLimit.giveBack(verdict.slot);
    }
  }

  /** An SMS costs money: what it may cost is reserved before, and settled after, whatever happens between. */
  private async sendWithinBudget(message: ClaimedMessage, recipient: Recipient): Promise<Delivery> {
    const admission = await this.smsAllowance.admit(message.id, recipient.to);
    if (admission.refusal) return { outcome: admission.refusal, tries: [] };
    let tries: readonly ProviderAttempt[] = [];
    try {
      const delivery = await this.send(message, recipient);
      tries = delivery.tries;
      return delivery;
    } finally {
      await this.smsAllowance.settle(admission, tries);
    }
  }

  private async send(message: ClaimedMessage, recipient: Recipient): Promise<Delivery> {
    const outgoing = await this.compose(message, recipient);
    const delivery = await this.failover.send(message.channel, outgoing, message.uncertain);
    if (delivery.recipientLoss) await this.suppress(message, recipient.to, delivery.recipientLoss);
    return delivery;
  }

  /** With a new secret for each attempt: what leaves is good for as long as it says, however long the message waited. */
  private async compose(message: ClaimedMessage, { user, to }: Recipient): Promise<OutgoingMessage> {
    const { type, channel } = message;
    const purpose = purposeOf(type, channel);
    const form = formOf(channel, await this.guessTotals.areTooMany(to, purpose));
    const secret = await this.tokens.mint({ userId: user.id, purpose, recipient: to, ...form });
    return this.renderer.compose(message, to, secret);
  }

  /** Never rejects: the attempt has been made, and the next message would be refused in the same way. */
  private async suppress({ id, channel }: ClaimedMessage, to: string, reason: SuppressionReason) {
    try {
      await this.suppressions.add(channel, to, reason, id);
    } catch (err) {
      const messageId = messageIdOf(id);
      this.log.warn({ err, messageId }, 'A recipient could not be put on the suppression list');
    }
  }
}

/** Where there have been too many guesses a mail brings its link alone, and an SMS a code that is harder to guess. */
function formOf(channel: Channel, isGuessedAt: boolean): SecretForm {
  if (channel === 'sms') return { withLink: false, codeLength: isGuessedAt ? 8 : 6 };
  return { withLink: true, codeLength: isGuessedAt ? 0 : 6 };
}
