import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** What became of a client's `Idempotency-Key`. Hashes only: neither the key, the client nor the address is here. */
@Entity('idempotency_keys')
export class IdempotencyKeyEntity {
  /** Keyed hash of the route, the client and the key. */
  @PrimaryColumn('bytea') key: Buffer;
  /** Keyed hash of the normalised request, to notice another one under the same key. */
  @Column('bytea') fingerprint: Buffer;
  /** The message that the key stands for. The key is used up when there is a row of this id in `messages`. */
  @Column('uuid', { name: 'message_id' }) messageId: string;
  /** When the latest request with this key began its work; null once it has failed and given the key back. */
  @Column('timestamptz', { name: 'claimed_at', nullable: true }) claimedAt: Date | null;
  @Index('idempotency_keys_expires_at')
  @Column('timestamptz', { name: 'expires_at' })
  expiresAt: Date;
}
