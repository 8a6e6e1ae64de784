import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { TokenPurpose } from '../confirmation-type.js';

/** A link that has done its work. Nothing here says whose it was; only who holds the link can ask for it. */
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
