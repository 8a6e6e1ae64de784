import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { TokenPurpose } from '../messages/confirmation-type.js';

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

/** In a statement of its own, so that the next one sees what the transactions wrote that this one waited for. */
export const lockSubjects = `
  SELECT pg_advisory_xact_lock(key)
  FROM (
    SELECT DISTINCT hashtextextended(user_id::text || purpose, 0) AS key
    FROM unnest($1::uuid[], $2::text[]) AS subject (user_id, purpose)
    -- One lock order, against deadlock.
    ORDER BY key
  ) AS subjects`;

/** For each that is asked for, by its place, the newest code that is alive and no older than that. */
export const newestCodes = `
  SELECT asked.n::int - 1 AS n, newest.code_seed AS "codeSeed", newest.code_hash AS "codeHash"
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[])
    WITH ORDINALITY AS asked (user_id, purpose, recipient, oldest_seed, n)
  CROSS JOIN LATERAL (
    SELECT code_seed, code_hash FROM tokens
    WHERE user_id = asked.user_id AND purpose = asked.purpose AND recipient = asked.recipient
      AND code_seed >= asked.oldest_seed AND code_hash IS NOT NULL AND expires_at > $5
    ORDER BY code_seed DESC
    LIMIT 1
  ) AS newest`;

/**
 * Each code stands in one row, that of the newest message with it: how many messages there have been must not show in the
 * time that a guess takes.
 */
export const insert = `
  WITH minted AS MATERIALIZED (
    SELECT * FROM unnest(
      $1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bytea[], $6::bytea[], $7::uuid[], $8::timestamptz[]
    ) AS minted (id, user_id, purpose, recipient, link_hash, code_hash, code_seed, expires_at)
  ), moved AS (
    UPDATE tokens SET code_hash = NULL
    FROM minted
    WHERE minted.code_hash IS NOT NULL AND tokens.code_hash IS NOT NULL AND tokens.expires_at > $9
      AND tokens.user_id = minted.user_id AND tokens.purpose = minted.purpose
      AND tokens.recipient = minted.recipient AND tokens.code_seed = minted.code_seed
  )
  INSERT INTO tokens (id, user_id, purpose, recipient, link_hash, code_hash, code_seed, expires_at)
  SELECT id, user_id, purpose, recipient, link_hash, code_hash, code_seed, expires_at FROM minted`;

/** More than the four codes that one subject can have alive. */
const candidateCount = 8;
/**
 * Timing attack: reads the codes of the subject and of its neighbours in the index, and returns the subject's only, so that
 * as many rows are read and compared for an unknown user, or one without a code, as for one with four. With ties, so that
 * a subject with more, expired or for other addresses, has all read.
 */
export const candidates = `
  WITH near AS MATERIALIZED (
    SELECT id, code_hash, user_id = $1 AND purpose = $2 AND recipient = $3 AND expires_at > $4 AS is_alive
    FROM tokens
    WHERE (user_id, purpose) >= ($1, $2) AND code_hash IS NOT NULL
    ORDER BY user_id, purpose
    FETCH FIRST ${candidateCount} ROWS WITH TIES
  )
  SELECT CASE WHEN is_alive THEN id ELSE '00000000-0000-0000-0000-000000000000' END AS id,
    CASE WHEN is_alive THEN code_hash ELSE $5 END AS "codeHash"
  FROM near
  UNION ALL
  SELECT '00000000-0000-0000-0000-000000000000', $5
  FROM generate_series(1, ${candidateCount} - (SELECT count(*)::int FROM near))`;

/**
 * Ends the tokens and remembers the links among them that led to the same address. A link to another address has not done
 * what its mail said.
 */
export const consume = `
  WITH locked AS MATERIALIZED (
    SELECT id FROM tokens WHERE user_id = $1 AND purpose = $2 ORDER BY id FOR UPDATE
  ), ended AS (
    DELETE FROM tokens USING locked WHERE tokens.id = locked.id
    RETURNING tokens.id, tokens.recipient, tokens.link_hash
  ), remembered AS (
    INSERT INTO used_links (link_hash, purpose, expires_at)
    SELECT link_hash, $2, $4 FROM ended WHERE link_hash IS NOT NULL AND recipient = $3
  )
  SELECT id FROM ended`;
