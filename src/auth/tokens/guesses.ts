import { Injectable } from '@nestjs/common';
import type { Asker } from '../messages/asked-by.js';
import { type CodeAttempt, CodeAttempts } from './code-attempts.js';
import { GuessTotals } from './guess-totals.js';
import { MessageGuesses } from './message-guesses.js';

/** Which count a guess belongs to: of the message that it names, of a message that its client asked for, or of all others. */
export type GuessCount = 'message' | 'asker' | 'anybody';

/** A guess that has been counted and may be compared, unless it names a message that has none left. */
export interface Guess {
  readonly count: GuessCount;
  readonly isSpent: boolean;
  /** Told to who names a message. */
  readonly attemptsLeft?: number;
  /** To be forgotten when it was right. */
  readonly attempts: CodeAttempt[];
}

/**
 * Brute-force protection of codes. Guesses are counted before they are compared, by who makes them, by what they name, and in
 * all; none of it knows who has an address. Who names the message of a code, or asked for it, has guesses that no stranger
 * can use up.
 */
@Injectable()
export class Guesses {
  constructor(
    private readonly attempts: CodeAttempts,
    private readonly messages: MessageGuesses,
    private readonly totals: GuessTotals,
  ) {}

  /** @throws ApiError 429 after too many of this client, or of all that belong to no message */
  async count(asker: Asker, messageUuid: string | null): Promise<Guess> {
    const attempts = await this.attempts.countOfClient(asker.client);
    const left = messageUuid === null ? null : await this.messages.countNamed(messageUuid, asker);
    if (left !== null)
      return { count: 'message', isSpent: left < 0, attemptsLeft: Math.max(0, left), attempts };
    if (await this.messages.countOfAsker(asker)) return { count: 'asker', isSpent: false, attempts };
    attempts.push(await this.attempts.count(asker.identifier, asker.purpose));
    return { count: 'anybody', isSpent: false, attempts };
  }

  /**
   * Counts it by where its code goes to.
   * @param mayBeElsewhere whether that can be another address than the one that was named
   * @returns whether it may be compared. If not it must be answered as a wrong one: a refusal would tell who waits for which
   *   address, or how often somebody has guessed
   */
  async countAt(
    recipient: string,
    { purpose }: Asker,
    guess: Guess,
    mayBeElsewhere: boolean,
  ): Promise<boolean> {
    const isBound = guess.count !== 'anybody';
    if (isBound || !mayBeElsewhere)
      return this.totals.count(recipient, purpose, isBound ? 'bound' : 'unbound');
    const attempt = await this.attempts.countAtRecipient(recipient, purpose);
    if (attempt) guess.attempts.push(attempt);
    return this.totals.count(recipient, purpose, attempt ? 'unbound' : 'none');
  }

  /** A right code is no guess, and ends the total. */
  async forget(
    { attempts }: Pick<Guess, 'attempts'>,
    { recipient, purpose }: { recipient: string } & Pick<Asker, 'purpose'>,
  ) {
    for (const attempt of attempts) await this.attempts.forget(attempt);
    await this.totals.forget(recipient, purpose);
  }
}
