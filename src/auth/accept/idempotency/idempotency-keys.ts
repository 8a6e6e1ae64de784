import { Column, DataSource, Entity, Index, PrimaryColumn } from 'typeorm';
import { Injectable } from '@nestjs/common';
import { ApiError, orUnavailable } from '../../../http/api-error.js';
import { Clock } from '../../../platform/clock.js';
import { KeyedHash } from '../../../platform/keyed-hash.js';
import { uuidV7 } from '../../../platform/ids.js';
import type { MessageRequest } from '../../requests/accept-context.js';

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

/** The scope of a key: a client never finds what another client, or another route, stored under the same key. */
export interface ScopedKey {
  readonly route: string;
  readonly client: string;
  readonly key: string;
}

/** The claim of one request on a key. Message and time together are unique to it. */
export interface Claim {
  readonly key: Buffer;
  /** The UUID under which the request must put its message into the outbox. */
  readonly messageId: string;
  readonly claimedAt: Date;
}

/** The message that an earlier request with this key has put into the outbox. */
export interface Replay {
  readonly replayOf: string;
}

/** Retention of a key, in milliseconds. */
const lifetimeMs = 24 * 60 * 60 * 1_000;
/** A claim is stale after so many milliseconds: the request that holds it has died, for together its steps give up earlier. */
const claimTtlMs = 30_000;
/** Seconds after which a client may ask what became of the request in flight. */
const retryAfter = 1;

/**
 * Takes a key that is new or free: it is overdue, was given back, or is held by a request that died. Who takes over the
 * same request gets the same message id, because the one before may have been committed after all.
 * Of simultaneous statements the first wins: the others wait for it and then see what it wrote.
 */
const claim = `
  INSERT INTO idempotency_keys AS kept (key, fingerprint, message_id, claimed_at, expires_at)
  VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT (key) DO UPDATE
    SET fingerprint = EXCLUDED.fingerprint, claimed_at = EXCLUDED.claimed_at, expires_at = EXCLUDED.expires_at,
      message_id = CASE WHEN kept.expires_at > $4 AND kept.fingerprint = EXCLUDED.fingerprint
        THEN kept.message_id ELSE EXCLUDED.message_id END
    WHERE kept.expires_at <= $4
      OR (NOT EXISTS (SELECT FROM messages WHERE messages.id = kept.message_id)
        AND (kept.claimed_at IS NULL OR (kept.claimed_at <= $6 AND kept.fingerprint = EXCLUDED.fingerprint)))
  RETURNING message_id AS "messageId"`;

const look = `
  SELECT fingerprint = $2 AS "isSame", message_id AS "messageId",
    EXISTS (SELECT FROM messages WHERE messages.id = message_id) AS "isCommitted"
  FROM idempotency_keys WHERE key = $1 AND expires_at > $3`;

/** Compare and set by the claim's own time: a key that another request has taken over meanwhile stays with that one. */
const giveBack = `
  UPDATE idempotency_keys SET claimed_at = NULL WHERE key = $1 AND message_id = $2 AND claimed_at = $3`;

/**
 * Lets one request per key through. A key is claimed together with the id of the message that it will stand for, and is
 * used up from the moment when a message of that id is in the outbox: there is no second write that a crash could miss.
 * A change of the hashing key forgets all keys.
 */
@Injectable()
export class IdempotencyKeys {
  constructor(
    private readonly dataSource: DataSource,
    private readonly keyedHash: KeyedHash,
    private readonly clock: Clock,
  ) {}

  /**
   * The key for this request, or what an earlier one has done with it.
   * @throws ApiError 409 while an earlier one is under way, 422 when that was another request, 503
   */
  async reserve(scoped: ScopedKey, request: MessageRequest): Promise<Claim | Replay> {
    const key = this.keyedHash.digest('idempotency key', scoped.route, scoped.client, scoped.key);
    const fingerprint = this.fingerprintOf(request);
    return orUnavailable(
      async () => (await this.claim(key, fingerprint)) ?? (await this.replay(key, fingerprint)),
    );
  }

  /** For a request that failed: the next one with the key is a new attempt. */
  async giveBack({ key, messageId, claimedAt }: Claim): Promise<void> {
    await this.dataSource.query(giveBack, [key, messageId, claimedAt]);
  }

  private async claim(key: Buffer, fingerprint: Buffer): Promise<Claim | undefined> {
    const now = this.clock.now();
    const claimedAt = new Date(now);
    const [claimed] = await this.dataSource.query<{ messageId: string }[]>(claim, [
      key,
      fingerprint,
      uuidV7(now),
      claimedAt,
      new Date(now + lifetimeMs),
      new Date(now - claimTtlMs),
    ]);
    return claimed && { key, messageId: claimed.messageId, claimedAt };
  }

  private async replay(key: Buffer, fingerprint: Buffer): Promise<Replay> {
    const [kept] = await this.dataSource.query<
      { isSame: boolean; messageId: string; isCommitted: boolean }[]
    >(look, [key, fingerprint, new Date(this.clock.now())]);
    if (kept?.isSame === false) {
      throw new ApiError('idempotency_key_reuse', 'Send another request with another Idempotency-Key');
    }
    if (kept?.isCommitted) return { replayOf: kept.messageId };
    throw new ApiError('idempotency_key_in_flight', 'Try again when the first request has been answered', {
      retryAfter,
    });
  }

  /** The captcha token is left out: it can be used once, so a retry may bring another. */
  private fingerprintOf({ type, channel, identifier, redirectTo }: MessageRequest): Buffer {
    const redirect = redirectTo === null ? [] : [redirectTo];
    return this.keyedHash.digest('idempotent request', type, channel, identifier, ...redirect);
  }
}
