import { Injectable } from '@nestjs/common';
import { In } from 'typeorm';
import { Clock } from '../../clock.js';
import { Transaction } from '../../database/transaction.js';
import { KeyedHash } from '../../keyed-hash.js';
import type { Channel } from '../confirmation-type.js';
import { maskIdentifier } from '../mask-identifier.js';
import { SuppressionEntity, type SuppressionReason } from './suppression.entity.js';

/** The oldest is the one that counts. Locked, so that what is being lifted at the same moment is not brought back. */
const copyToCurrent = `
  INSERT INTO suppressions (key, channel, reason, masked_identifier, message_id, created_at)
  SELECT $1::bytea, channel, reason, masked_identifier, message_id, created_at FROM suppressions
  WHERE key = ANY ($2::bytea[]) ORDER BY created_at LIMIT 1 FOR UPDATE
  ON CONFLICT (key) DO NOTHING`;

/** Who gets nothing any more, and why. It is asked before each send, never while a client waits. */
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
    const keys = this.keys(channel, identifier);
    const found = await this.transaction.manager.query<{ key: Buffer }[]>(
      `SELECT key FROM suppressions WHERE key = ANY ($1::bytea[])`,
      [keys],
    );
    if (found.length > 0 && !found.some(({ key }) => key.equals(keys[0])))
      await this.transaction.manager.query(copyToCurrent, [keys[0], keys]);
    return found.length > 0;
  }

  /** An address that is on the list keeps the reason and the time that it has. */
  async add(
    channel: Channel,
    identifier: string,
    reason: SuppressionReason,
    messageUuid: string | null = null,
  ): Promise<void> {
    if (await this.contains(channel, identifier)) return;
    const [current] = this.keys(channel, identifier);
    await this.transaction.manager.query(
      `INSERT INTO suppressions (key, channel, reason, masked_identifier, message_id, created_at)
       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (key) DO NOTHING`,
      [current, channel, reason, maskIdentifier(identifier), messageUuid, new Date(this.clock.now())],
    );
  }

  /**
   * Whether the address was on the list.
   * @param reason lift it only when it is there for this one
   */
  async lift(
    channel: Channel,
    identifier: string,
    reason: SuppressionReason | null = null,
  ): Promise<boolean> {
    let lifted = 0;
    // The current one last: what a delivery copies to it while an entry is waited for here is seen by then.
    for (const key of this.keys(channel, identifier).toReversed()) {
      const [, count] = await this.transaction.manager.query<[unknown[], number]>(
        `DELETE FROM suppressions WHERE key = $1 AND ($2::text IS NULL OR reason = $2)`,
        [key, reason],
      );
      lifted += count;
    }
    return lifted > 0;
  }

  /** The entry of the address, the oldest if it stands under several keys; null when it is not on the list. */
  find(channel: Channel, identifier: string): Promise<SuppressionEntity | null> {
    return this.transaction.manager.findOne(SuppressionEntity, {
      where: { key: In(this.keys(channel, identifier)) },
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

  /** While hashing keys are being changed, an entry may stand under any of them. */
  private keys(channel: Channel, identifier: string): [Buffer, ...Buffer[]] {
    return this.keyedHash.digests('suppression', channel, identifier);
  }
}
