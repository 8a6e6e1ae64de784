import { Column, Entity, In, Index, PrimaryColumn } from 'typeorm';
import { Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock.js';
import { Transaction } from '../../database/transaction.js';

const dayMs = 86_400_000;

/** How long mails stay stopped, in milliseconds. */
const stoppedForMs = 30 * dayMs;

/** Mails of one type that somebody does not want at their address for a while. */
@Entity('stopped_mails')
export class StoppedMailEntity {
  /** Keyed hash of type and address. */
  @PrimaryColumn('bytea') key: Buffer;
  @Index('stopped_mails_expires_at')
  @Column('timestamptz', { name: 'expires_at' })
  expiresAt: Date;
}

/**
 * "Stop these mails": for one type, for 30 days, to be taken back by the same link. Apart from the suppression list, whose
 * entries are about an address as a whole.
 */
@Injectable()
export class StoppedMails {
  constructor(
    private readonly transaction: Transaction,
    private readonly clock: Clock,
  ) {}

  /**
   * Until when mails are stopped under one of these keys; null when they are not.
   * @param keys as `StopLinks` makes them
   */
  async until(keys: readonly Buffer[]): Promise<Date | null> {
    const rows = await this.transaction.manager.findBy(StoppedMailEntity, { key: In([...keys]) });
    const ends = rows.map(({ expiresAt }) => expiresAt.getTime()).filter((end) => end > this.clock.now());
    return ends.length === 0 ? null : new Date(Math.max(...ends));
  }

  /** From now on; who stops them again begins anew. */
  async stop(key: Buffer): Promise<void> {
    const expiresAt = new Date(this.clock.now() + stoppedForMs);
    await this.transaction.manager.upsert(StoppedMailEntity, { key, expiresAt }, ['key']);
  }

  async takeBack(key: Buffer): Promise<void> {
    await this.transaction.manager.delete(StoppedMailEntity, { key });
  }
}
