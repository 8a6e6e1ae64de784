import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { TokenPurpose } from '../confirmation-type.js';

/** A link and the code that stands beside it in one message. Only keyed hashes are kept. */
@Entity('tokens')
@Index('tokens_by_user_and_purpose', ['userId', 'purpose'])
@Index('tokens_with_code', ['userId', 'purpose'], { where: 'code_hash IS NOT NULL' })
export class TokenEntity {
  @PrimaryColumn('uuid') id: string;
  @Column('uuid', { name: 'user_id' }) userId: string;
  @Column('text') purpose: TokenPurpose;
  /** The address that the message went to: the secret proves this one and no other. */
  @Column('text') recipient: string;
  @Column('bytea', { name: 'link_hash', nullable: true, unique: true }) linkHash: Buffer | null;
  /** Null once a later message has repeated the code: it stands with the newest, which is good for longest. */
  @Column('bytea', { name: 'code_hash', nullable: true }) codeHash: Buffer | null;
  /** The id of the first message that carried this code. */
  @Column('uuid', { name: 'code_seed' }) codeSeed: string;
  @Column('timestamptz', { name: 'expires_at' }) expiresAt: Date;
}
