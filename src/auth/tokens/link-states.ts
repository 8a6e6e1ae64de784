import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { Injectable } from '@nestjs/common';
import type { TokenPurpose } from '../messages/confirmation-type.js';
import { Clock } from '../../platform/clock.js';
import { Transaction } from '../../database/transaction.js';
import { KeyedHash } from '../../platform/keyed-hash.js';
import { linkHashes } from './token-hashes.js';

/** A link that was used. Nothing here says whose it was; only a holder of the link can ask for it. */
@Entity('used_links')
export class UsedLinkEntity {
  /** As it stood in `tokens`. */
  @PrimaryColumn('bytea', { name: 'link_hash' }) linkHash: Buffer;
  @Column('text') purpose: TokenPurpose;
  /** When it is forgotten. */
  @Index('used_links_expires_at')
  @Column('timestamptz', { name: 'expires_at' })
  expiresAt: Date;
}

/** `live`: it can be used. `used`: it has done its work. `none`: expired, or never one of ours, which is all the same. */
export type LinkState = 'live' | 'used' | 'none';

/** One statement, so that a link that is used meanwhile is seen before or after that, and never as neither. */
const statement = `
  SELECT 'live' AS state FROM tokens
    WHERE link_hash = ANY ($1::bytea[]) AND purpose = $2 AND expires_at > $3
  UNION ALL
  SELECT 'used' FROM used_links
    WHERE link_hash = ANY ($1::bytea[]) AND purpose = $2 AND expires_at > $3`;

/**
 * The state of a link, for the page behind it. Only a holder can ask about a link: it has 256 random
 * bits, and the database compares keyed hashes, so that the time it takes tells nothing about links that are similar.
 */
@Injectable()
export class LinkStates {
  constructor(
    private readonly transaction: Transaction,
    private readonly keyedHash: KeyedHash,
    private readonly clock: Clock,
  ) {}

  /** Changes nothing and locks nothing, however often it is asked. */
  async of(link: string, purpose: TokenPurpose): Promise<LinkState> {
    const [row] = await this.transaction.manager.query<{ state: LinkState }[]>(statement, [
      linkHashes(this.keyedHash, link),
      purpose,
      new Date(this.clock.now()),
    ]);
    return row?.state ?? 'none';
  }
}
