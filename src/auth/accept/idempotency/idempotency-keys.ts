import { Column, DataSource, Entity, Index, PrimaryColumn } from 'typeorm';
import { Injectable, Logger } from '@nestjs/common';
import { ApiError, orUnavailable } from '../../../http/api-error.js';
import { Clock } from '../../../platform/clock.js';
import { KeyedHash } from '../../../platform/keyed-hash.js';
import { uuidV7 } from '../../../platform/ids.js';
import type { MessageRequest } from '../../outbox/outbox.js';

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

/** Whose key it is: nobody finds what another client, or another route, stored under the same key. */
export interface ScopedKey {
  readonly route: string;
  readonly client: string;
  readonly key: string;
}

/** A key in the hands of one request. Message and time together are nobody else's. */
export interface Claim {
  /** It is claimed under each of them. */
  readonly keys: readonly Buffer[];
  /** The UUID under which the request must put its message into the outbox. */
  readonly messageId: string;
  readonly claimedAt: Date;
}

/** The message that an earlier request with this key has put into the outbox. */
export interface Replay {
  readonly replayOf: string;
}

/** How long a key is remembered, in milliseconds. */
const lifetimeMs = 24 * 60 * 60 * 1_000;
/** After so many milliseconds the request that holds a key has died: together its steps give up earlier. */
const patienceMs = 30_000;
/** Seconds after which a client may ask what became of the request in flight. */
const retryAfter = 1;

/** One request in so many looks for overdue keys, and deletes at most so many of them. */
const sweepEvery = 8;
const sweepSize = 64;

/** The hashes of one key under the hashing keys, each beside that of the request under the same hashing key. */
const asked = `unnest($1::bytea[], $2::bytea[]) AS asked (key, fingerprint)`;

/** Of a row `kept`, at $4: it is overdue, was given back, or is held by a request that died since $6. */
const isFreeFor = (fingerprint: string) => `(kept.expires_at <= $4
      OR (NOT EXISTS (SELECT FROM messages WHERE messages.id = kept.message_id)
        AND (kept.claimed_at IS NULL OR (kept.claimed_at <= $6 AND kept.fingerprint = ${fingerprint}))))`;

/**
 * Takes a key that is new or free, under all hashing keys or none. Who takes over the same request gets the same
 * message id, because nobody can tell whether the one before has not been committed after all.
 * Of simultaneous statements the first wins: the others wait for it and then see what it wrote. All lock in the order
 * of the keys, so that nobody waits in a circle.
 */
const claim = `
  WITH earlier AS MATERIALIZED (
    SELECT kept.*, asked.fingerprint AS asked_fingerprint
    FROM idempotency_keys AS kept JOIN ${asked} ON kept.key = asked.key
    ORDER BY kept.key FOR UPDATE OF kept
  )
  INSERT INTO idempotency_keys AS kept (key, fingerprint, message_id, claimed_at, expires_at)
  SELECT asked.key, asked.fingerprint,
    coalesce(
      (SELECT message_id FROM earlier WHERE expires_at > $4 AND fingerprint = asked_fingerprint
       ORDER BY key LIMIT 1),
      $3::uuid),
    $4::timestamptz, $5::timestamptz
  FROM ${asked}
  WHERE NOT EXISTS (SELECT FROM earlier AS kept WHERE NOT ${isFreeFor('kept.asked_fingerprint')})
  ORDER BY asked.key
  ON CONFLICT (key) DO UPDATE
    SET fingerprint = EXCLUDED.fingerprint, claimed_at = EXCLUDED.claimed_at, expires_at = EXCLUDED.expires_at,
      message_id = CASE WHEN kept.expires_at > $4 AND kept.fingerprint = EXCLUDED.fingerprint
        THEN kept.message_id ELSE EXCLUDED.message_id END
    WHERE ${isFreeFor('EXCLUDED.fingerprint')}
  RETURNING message_id AS "messageId"`;

/** A row that is used up goes before one that is not: it is the one that counts. */
const look = `
  SELECT kept.fingerprint = asked.fingerprint AS "isSame", message_id AS "messageId",
    EXISTS (SELECT FROM messages WHERE messages.id = message_id) AS "isCommitted"
  FROM idempotency_keys AS kept JOIN ${asked} ON kept.key = asked.key
  WHERE expires_at > $3 ORDER BY "isCommitted" DESC, kept.key LIMIT 1`;

/** The claim's own time is the condition: a key that somebody else has taken over meanwhile is theirs. */
const giveBack = `
  WITH kept AS MATERIALIZED (
    SELECT key FROM idempotency_keys WHERE key = ANY ($1::bytea[]) ORDER BY key FOR UPDATE
  )
  UPDATE idempotency_keys SET claimed_at = NULL
  FROM kept WHERE idempotency_keys.key = kept.key AND message_id = $2 AND claimed_at = $3`;

const sweep = `
  DELETE FROM idempotency_keys WHERE key IN (
    SELECT key FROM idempotency_keys WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)`;

/**
 * Lets one request per key through. A key is claimed together with the id of the message that it will stand for, and is
 * used up from the moment when a message of that id is in the outbox: there is no second write that a crash could miss.
 *
 * While hashing keys are being changed, a key is claimed under each of them: whoever knows only one of them, before or
 * after the change or beside it, then finds the claim too.
 */
@Injectable()
export class IdempotencyKeys {
  private readonly logger = new Logger(IdempotencyKeys.name);

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
    const keys = this.keyedHash.digests('idempotency key', scoped.route, scoped.client, scoped.key);
    if (Math.random() * sweepEvery < 1) await this.sweep();
    return orUnavailable(async () => {
      const fingerprints = this.fingerprintsOf(request);
      return (await this.claim(keys, fingerprints)) ?? (await this.replay(keys, fingerprints));
    });
  }

  /** For a request that failed: the next one with the key is a new attempt. */
  async giveBack({ keys, messageId, claimedAt }: Claim): Promise<void> {
    await this.dataSource.query(giveBack, [keys, messageId, claimedAt]);
  }

  private async claim(keys: readonly Buffer[], fingerprints: readonly Buffer[]): Promise<Claim | undefined> {
    const now = this.clock.now();
    const claimedAt = new Date(now);
    const claimed = await this.dataSource.query<{ messageId: string }[]>(claim, [
      keys,
      fingerprints,
      uuidV7(now),
      claimedAt,
      new Date(now + lifetimeMs),
      new Date(now - patienceMs),
    ]);
    const [first] = claimed;
    return first && claimed.length === keys.length
      ? { keys, messageId: first.messageId, claimedAt }
      : undefined;
  }

  private async replay(keys: readonly Buffer[], fingerprints: readonly Buffer[]): Promise<Replay> {
    const [kept] = await this.dataSource.query<
      { isSame: boolean; messageId: string; isCommitted: boolean }[]
    >(look, [keys, fingerprints, new Date(this.clock.now())]);
    if (kept?.isSame === false) {
      throw new ApiError('idempotency_key_reuse', 'Send another request with another Idempotency-Key');
    }
    if (kept?.isCommitted) return { replayOf: kept.messageId };
    throw new ApiError('idempotency_key_in_flight', 'Try again when the first request has been answered', {
      retryAfter,
    });
  }

  /** The captcha token is left out: it can be used once, so a retry may bring another. */
  private fingerprintsOf({ type, channel, identifier, redirectTo }: MessageRequest): Buffer[] {
    const redirect = redirectTo === null ? [] : [redirectTo];
    return this.keyedHash.digests('idempotent request', type, channel, identifier, ...redirect);
  }

  private async sweep(): Promise<void> {
    try {
      await this.dataSource.query(sweep, [new Date(this.clock.now()), sweepSize]);
    } catch (error) {
      // The request itself may still succeed; the next sweep takes what this one has left.
      this.logger.debug(`Overdue keys were not deleted: ${String(error)}`);
    }
  }
}
