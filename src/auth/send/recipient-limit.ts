import { Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock.js';
import { Config, type Limit } from '../../config/config.js';
import { KeyedHash } from '../../platform/keyed-hash.js';
import { Log } from '../../platform/log.js';
import { SqlSlidingLog } from '../../rate-limit/sql-sliding-log.js';
import type { Channel, ConfirmationType } from '../messages/confirmation-type.js';
import { countingForm } from '../messages/counting-form.js';

const hourMs = 3_600_000;
/** Of one type a third of what the longest window admits, within six hours: more are of no use to anybody. */
function ofOneType(limits: readonly Limit[]): Limit {
  const longest = limits.reduce((a, b) => (b.windowMs > a.windowMs ? b : a));
  return { max: Math.ceil(longest.max / 3), windowMs: 6 * hourMs };
}
/** Who has had none of a type for an hour waits for this one: a flood of another type must not keep it away. */
const first = { max: 1, windowMs: hourMs };
/** Keeps what is counted for as long as the window, and refuses nothing. */
const uncounted = ({ windowMs }: Limit): Limit => ({ max: 2_000_000_000, windowMs });

/** Room for one message, which has been taken. */
export interface RecipientSlot {
  readonly keys: readonly Buffer[];
  readonly at: Date;
}

/**
 * How many messages one mailbox or telephone gets, however it is spelt, whoever asks and by whatever route: `LIMIT_RECIPIENT`
 * over all types together, and fewer of one. A request is counted where it is made, by the address in it and the type; what
 * leaves in the end, and where for, is known here alone. No answer shows it, and people cannot spend it for each other by
 * asking for what is never sent. Kept in the database, since its windows outlive processes.
 */
@Injectable()
export class RecipientLimit {
  constructor(
    private readonly sent: SqlSlidingLog,
    private readonly keyedHash: KeyedHash,
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /** Takes room for one message; null when there is none. What does not leave in the end is given back. */
  async take(type: ConfirmationType, channel: Channel, to: string): Promise<RecipientSlot | null> {
    const at = new Date(this.clock.now());
    const limits = this.config.limits.recipient;
    const form = countingForm(channel, to);
    const all = this.keyedHash.digest('recipient', channel, form);
    const own = this.keyedHash.digest('recipient by type', channel, form, type);
    const slot = { keys: [own, all], at };
    const inType = ofOneType(limits);
    if (await this.sent.take(own, at, [first, uncounted(inType)])) {
      await this.sent.take(all, at, limits.map(uncounted));
      return slot;
    }
    if (!(await this.sent.take(own, at, inType))) return null;
    if (await this.sent.take(all, at, limits)) return slot;
    await this.sent.giveBack(own, at);
    return null;
  }

  /** Nothing has left. Never rejects: the attempt has been made. */
  async giveBack({ keys, at }: RecipientSlot): Promise<void> {
    try {
      for (const key of keys) await this.sent.giveBack(key, at);
    } catch (err) {
      this.log.warn({ err }, 'What a person did not get could not be given back');
    }
  }
}
