import { Check, Column, Entity, In, Index, PrimaryColumn } from 'typeorm';
import { Injectable } from '@nestjs/common';
import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { Clock } from '../../platform/clock.js';
import { Transaction } from '../../database/transaction.js';
import { KeyedHash } from '../../platform/keyed-hash.js';
import { maskIdentifier } from '../../platform/log.js';
import type { Channel } from './confirmation-type.js';

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
  WHERE key = ANY ($2::bytea[]) AND (reason = 'opt_out') = $3 ORDER BY created_at LIMIT 1 FOR UPDATE
  ON CONFLICT (key) DO NOTHING`;

interface Listed {
  readonly key: Buffer;
  readonly reason: SuppressionReason;
}

/**
 * Who gets nothing any more, and why. It is asked before each send, never while a client waits.
 *
 * A STOP stands beside any other reason, each an entry of its own: lifting the one leaves the
 * other, since a number that works again has not said START, and START does not mend a number.
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
    return (await this.entriesOf(channel, identifier)).length > 0;
  }

  /** An address that is on the list keeps the reason and the time that it has. An opt-out is noted beside another reason. */
  async add(
    channel: Channel,
    identifier: string,
    reason: SuppressionReason,
    messageUuid: string | null = null,
  ): Promise<void> {
    const listed = await this.entriesOf(channel, identifier);
    if (listed.some((entry) => isOptOut(entry) === isOptOut({ reason }))) return;
    const [current] = this.keys(channel, identifier, isOptOut({ reason }));
    await this.transaction.manager.query(
      `INSERT INTO suppressions (key, channel, reason, masked_identifier, message_id, created_at)
       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (key) DO NOTHING`,
      [current, channel, reason, maskIdentifier(identifier), messageUuid, new Date(this.clock.now())],
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
      where: { key: In(this.allKeys(channel, identifier)) },
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

  private async entriesOf(channel: Channel, identifier: string): Promise<Listed[]> {
    const keys = this.allKeys(channel, identifier);
    const found = await this.transaction.manager.query<Listed[]>(
      `SELECT key, reason FROM suppressions WHERE key = ANY ($1::bytea[])`,
      [keys],
    );
    for (const optOut of [false, true]) {
      const [current] = this.keys(channel, identifier, optOut);
      const alike = found.filter((entry) => isOptOut(entry) === optOut);
      if (alike.length > 0 && !alike.some(({ key }) => key.equals(current)))
        await this.transaction.manager.query(copyToCurrent, [current, keys, optOut]);
    }
    return found;
  }

  private async delete(channel: Channel, identifier: string, condition: string, reason: SuppressionReason) {
    let lifted = 0;
    // The current ones last: what a delivery copies to them while an entry is waited for here is seen by then.
    for (const key of this.allKeys(channel, identifier).toReversed()) {
      const [, count] = await this.transaction.manager.query<[unknown[], number]>(
        `DELETE FROM suppressions WHERE key = $1 AND ${condition}`,
        [key, reason],
      );
      lifted += count;
    }
    return lifted > 0;
  }

  private allKeys(channel: Channel, identifier: string): Buffer[] {
    const [current, ...others] = this.keys(channel, identifier, false);
    if (channel === 'email') return [current, ...others];
    const [currentOptOut, ...otherOptOuts] = this.keys(channel, identifier, true);
    return [current, currentOptOut, ...others, ...otherOptOuts];
  }

  /**
   * While hashing keys are being changed, an entry may stand under any of them, and under each spelling of a number. Who
   * says STOP writes an SMS, so only there has an opt-out keys of its own.
   */
  private keys(channel: Channel, identifier: string, optOut: boolean): [Buffer, ...Buffer[]] {
    const domain = optOut && channel === 'sms' ? 'opt-out' : 'suppression';
    const [spelling, ...others] = spellingsOf(channel, identifier);
    return [
      ...this.keyedHash.digests(domain, channel, spelling),
      ...others.flatMap((other) => this.keyedHash.digests(domain, channel, other)),
    ];
  }
}

function isOptOut({ reason }: Pick<Listed, 'reason'>): boolean {
  return reason === 'opt_out';
}

/**
 * The number as its plan writes it, under which it is listed, and as it came. A carrier reports STOP from +49 151…, where
 * somebody has signed up with the zero that is dialled at home, +49 0151….
 */
function spellingsOf(channel: Channel, identifier: string): [string, ...string[]] {
  if (channel === 'email') return [identifier];
  const number = parsePhoneNumberFromString(identifier)?.number ?? identifier;
  return number === identifier ? [number] : [number, identifier];
}
