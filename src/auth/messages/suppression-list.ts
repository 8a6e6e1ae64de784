import { Check, Column, Entity, In, Index, PrimaryColumn } from 'typeorm';
import { Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock.js';
import { Transaction } from '../../database/transaction.js';
import { KeyedHash } from '../../platform/keyed-hash.js';
import { maskIdentifier } from '../../platform/log.js';
import type { Channel } from './confirmation-type.js';
import { countingForm, inPlansForm, isGmail } from './counting-form.js';

export const suppressionReasons = ['hard_bounce', 'complaint', 'opt_out', 'operator'] as const;
export type SuppressionReason = (typeof suppressionReasons)[number];

/** An address that gets nothing any more. Whose it is can be recognised, not read back. */
@Entity('suppressions')
@Check('suppressions_reason', `reason IN ('hard_bounce', 'complaint', 'opt_out', 'operator')`)
@Index('suppressions_by_time', ['createdAt', 'key'])
export class SuppressionEntity {
  /** Keyed hash of channel and identifier. */
  @PrimaryColumn('bytea') key: Buffer;
  @Column('text') channel: Channel;
  @Column('text') reason: SuppressionReason;
  /** As it stands in the log: `u***@example.com`. */
  @Column('text', { name: 'masked_identifier' }) maskedIdentifier: string;
  /** The message whose fate it was, when there was one; it may be gone by now. */
  @Column('uuid', { name: 'message_id', nullable: true }) messageId: string | null;
  @Column('timestamptz', { name: 'created_at' }) createdAt: Date;
}

/** The oldest is the one that counts. Locked, so that what is being lifted at the same moment is not brought back. */
const copyToCurrent = `
  INSERT INTO suppressions (key, channel, reason, masked_identifier, message_id, created_at)
  SELECT $1::bytea, channel, reason, masked_identifier, message_id, created_at FROM suppressions
  WHERE key = ANY ($2::bytea[]) ORDER BY created_at LIMIT 1 FOR UPDATE
  ON CONFLICT (key) DO NOTHING`;

/** The current key first; the others are those under which the same entry may stand while hashing keys are changed. */
type Keys = readonly [current: Buffer, ...others: Buffer[]];

/**
 * Who gets nothing any more, and why. It is asked before each send, never while a client waits.
 *
 * An entry is for one address, so that nobody is shut out by another spelling of it, with two exceptions (`keysFor`). A STOP
 * by SMS stands beside any other reason, each an entry of its own: lifting the one leaves the other, since a number that
 * works again has not said START, and START does not mend a number.
 */
@Injectable()
export class SuppressionList {
  constructor(
    private readonly transaction: Transaction,
    private readonly keyedHash: KeyedHash,
    private readonly clock: Clock,
  ) {}

  /**
   * An entry that stands under another key than the current one is written under that, too: nobody can do it later, when
   * the address is not at hand.
   * @param identifier in its normal form
   */
  async contains(channel: Channel, identifier: string): Promise<boolean> {
    return (await this.entriesUnder(this.allKeys(channel, identifier))).length > 0;
  }

  /** An address that is on the list keeps the reason and the time that it has. */
  async add(
    channel: Channel,
    identifier: string,
    reason: SuppressionReason,
    messageUuid: string | null = null,
  ): Promise<void> {
    const keys = this.keysFor(channel, identifier, reason);
    if ((await this.entriesUnder([keys])).length > 0) return;
    await this.transaction.manager.query(
      `INSERT INTO suppressions (key, channel, reason, masked_identifier, message_id, created_at)
       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (key) DO NOTHING`,
      [keys[0], channel, reason, maskIdentifier(identifier), messageUuid, new Date(this.clock.now())],
    );
  }

  /**
   * Whether there was something to lift. An opt-out beside another reason stays, unless it is named.
   * @param reason lift it only when it is there for this one
   */
  async lift(
    channel: Channel,
    identifier: string,
    reason: SuppressionReason | null = null,
  ): Promise<boolean> {
    if (reason !== null) return this.delete(channel, identifier, 'reason = $2', reason);
    return (
      (await this.delete(channel, identifier, 'reason <> $2', 'opt_out')) ||
      (await this.delete(channel, identifier, 'reason = $2', 'opt_out'))
    );
  }

  /** The entry of the address, the oldest if there are several; null when it is not on the list. */
  find(channel: Channel, identifier: string): Promise<SuppressionEntity | null> {
    return this.transaction.manager.findOne(SuppressionEntity, {
      where: { key: In(this.allKeys(channel, identifier).flat()) },
      order: { createdAt: 'ASC' },
    });
  }

  /** The newest first. @param after the entry to go on after */
  entries(count: number, after?: Pick<SuppressionEntity, 'createdAt' | 'key'>): Promise<SuppressionEntity[]> {
    const entries = this.transaction.manager.getRepository(SuppressionEntity).createQueryBuilder('entry');
    if (after) entries.where('(entry.created_at, entry.key) < (:createdAt, :key)', after);
    return entries.orderBy('entry.created_at', 'DESC').addOrderBy('entry.key', 'DESC').limit(count).getMany();
  }

  /**
   * Takes off the entry with this key; whether there was one. An entry of the same address under another key stays: from
   * a hash nobody can tell that it is the same.
   */
  async remove(key: Buffer): Promise<boolean> {
    const { affected } = await this.transaction.manager.delete(SuppressionEntity, { key });
    return affected === 1;
  }

  /** The keys of the entries that are there. What stands under others than the current ones is copied to those. */
  private async entriesUnder(sets: readonly Keys[]): Promise<Buffer[]> {
    const rows = await this.transaction.manager.query<{ key: Buffer }[]>(
      `SELECT key FROM suppressions WHERE key = ANY ($1::bytea[])`,
      [sets.flat()],
    );
    const found = rows.map(({ key }) => key);
    const isFound = (key: Buffer) => found.some((other) => other.equals(key));
    for (const [current, ...others] of sets) {
      if (!isFound(current) && others.some(isFound))
        await this.transaction.manager.query(copyToCurrent, [current, others]);
    }
    return found;
  }

  private async delete(channel: Channel, identifier: string, condition: string, reason: SuppressionReason) {
    let lifted = 0;
    // The current ones last: what a delivery copies to them while an entry is waited for here is seen by then.
    const sets = this.allKeys(channel, identifier);
    for (const key of [...sets.flatMap(([, ...others]) => others), ...sets.map(([current]) => current)]) {
      const [, count] = await this.transaction.manager.query<[unknown[], number]>(
        `DELETE FROM suppressions WHERE key = $1 AND ${condition}`,
        [key, reason],
      );
      lifted += count;
    }
    return lifted > 0;
  }

  /** Under which an entry that is about the address may stand, whatever the reason. */
  private allKeys(channel: Channel, identifier: string): Keys[] {
    const sets = suppressionReasons.map((reason) => this.keysFor(channel, identifier, reason));
    return sets.filter(([key], i) => sets.findIndex(([other]) => other.equals(key)) === i);
  }

  /**
   * A STOP by SMS holds for the telephone: carriers report it from +49 151…, where somebody has signed up with the zero that
   * is dialled at home, +49 0151…. What somebody has complained of at Gmail, or wants no more of, holds for the mailbox, whose
   * spellings are known. A bounce is about the very address: another spelling may well work.
   */
  private keysFor(channel: Channel, identifier: string, reason: SuppressionReason): Keys {
    if (channel === 'sms' && reason === 'opt_out')
      return this.keyedHash.digests('opt-out', channel, inPlansForm(identifier));
    const isWish = reason === 'opt_out' || reason === 'complaint';
    if (channel === 'email' && isWish && isGmail(identifier))
      return this.keyedHash.digests('suppressed mailbox', countingForm(channel, identifier));
    return this.keyedHash.digests('suppression', channel, identifier);
  }
}
