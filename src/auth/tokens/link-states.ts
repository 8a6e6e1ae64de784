import { Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { Transaction } from '../../database/transaction.js';
import { KeyedHash } from '../../keyed-hash.js';
import type { TokenPurpose } from '../confirmation-type.js';
import { linkHashes } from './link-hashes.js';

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
 * How a link stands, for the page behind it. Nobody is told about anything but a link that they hold: it has 256 random
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
