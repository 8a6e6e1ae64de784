import { Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock.js';
import { Config } from '../../config/config.js';
import { firstUuidV7 } from '../../platform/ids.js';
import { KeyedHash } from '../../platform/keyed-hash.js';
import { Transaction } from '../../database/transaction.js';
import { askedBy, type Asker } from '../messages/asked-by.js';

/** How often a code may be guessed by naming its message, and as often again by the client that asked for it. */
const guessesPerMessage = 5;

/** The message $1, when it was asked for this address ($3) and purpose ($4) and a code of it can be alive. */
const named = `id = $1 AND id >= $2 AND recipient = $3 AND CASE channel WHEN 'sms' THEN 'sms' ELSE type END = $4`;

const countNamed = `
  UPDATE messages SET named_guesses = named_guesses + 1
  WHERE ${named} AND named_guesses < ${guessesPerMessage}
  RETURNING named_guesses AS guesses`;

/** The newest first: it is its code that is typed, as a rule. */
const countAsked = `
  UPDATE messages SET asker_guesses = asker_guesses + 1
  WHERE asker_guesses < ${guessesPerMessage} AND id = (
    SELECT id FROM messages
    WHERE asked_by = ANY ($1::bytea[]) AND id >= $2 AND asker_guesses < ${guessesPerMessage}
    ORDER BY id DESC LIMIT 1
  )
  RETURNING id`;

/**
 * Guesses that belong to a message: a stranger knows neither its id nor the client that asked for it, and can spend none of
 * them. They are counted in its row of the outbox, which is there for everybody, known or not, for as long as a code
 * of it can be alive.
 */
@Injectable()
export class MessageGuesses {
  constructor(
    private readonly transaction: Transaction,
    private readonly keyedHash: KeyedHash,
    private readonly clock: Clock,
    private readonly config: Config,
  ) {}

  /**
   * Counts a guess that names a message. Looks first, without a lock: a flood of guesses at a message that has none left writes
   * nothing.
   * @returns how many are left, -1 when there was none; null when it names no message for this address and purpose
   */
  async countNamed(uuid: string, { identifier, purpose }: Asker): Promise<number | null> {
    const parameters = [uuid, this.oldest(purpose), identifier, purpose];
    const [row] = await this.transaction.manager.query<{ guesses: number }[]>(
      `SELECT named_guesses AS guesses FROM messages WHERE ${named}`,
      parameters,
    );
    if (!row) return null;
    if (row.guesses >= guessesPerMessage) return -1;
    const [[counted]] = await this.transaction.manager.query<[{ guesses: number }[], number]>(
      countNamed,
      parameters,
    );
    return counted ? guessesPerMessage - counted.guesses : -1;
  }

  /** Counts a guess of the client that asked for a code of this address; false when it did not, or has none left. */
  async countOfAsker(asker: Asker): Promise<boolean> {
    const [, counted] = await this.transaction.manager.query<[unknown, number]>(countAsked, [
      askedBy(this.keyedHash, asker),
      this.oldest(asker.purpose),
    ]);
    return counted === 1;
  }

  /** The first id that a message can have whose code is alive, judged by the time in it. */
  private oldest(purpose: Asker['purpose']): string {
    return firstUuidV7(this.clock.now() - this.config.tokenLifetimeMs[purpose]);
  }
}
