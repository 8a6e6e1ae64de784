/** How many overdue tokens one new token takes away with it: more than one, so that they cannot pile up. */
export const sweepSize = 4;

/**
 * Each code stands in one row, that of the newest message with it: how many messages there have been must not show in the
 * time that a guess takes.
 */
export const insert = `
  WITH repeated AS MATERIALIZED (
    SELECT id FROM tokens
    WHERE user_id = $2 AND purpose = $3 AND recipient = $4 AND code_seed = $7 AND code_hash IS NOT NULL
    ORDER BY id FOR UPDATE
  ), moved AS (
    UPDATE tokens SET code_hash = NULL FROM repeated WHERE tokens.id = repeated.id
  )
  INSERT INTO tokens (id, user_id, purpose, recipient, link_hash, code_hash, code_seed, expires_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`;

/** More codes than anybody has alive, of which there are four. */
const candidateCount = 8;
/**
 * As many rows for somebody without a code as for somebody with four, so that reading and comparing them takes as long:
 * that there is a code to guess is nobody's business either.
 */
export const candidates = `
  WITH alive AS MATERIALIZED (
    SELECT id, code_hash FROM tokens
    WHERE user_id = $1 AND purpose = $2 AND recipient = $3 AND expires_at > $4 AND code_hash IS NOT NULL
  )
  SELECT id, code_hash AS "codeHash" FROM alive
  UNION ALL
  SELECT '00000000-0000-0000-0000-000000000000', $5 FROM generate_series(1, ${candidateCount} - (SELECT count(*)::int FROM alive))`;

/**
 * Ends the tokens, remembers the links among them that led to the same address, and forgets more links than it
 * remembers, as far as their time is over. A link to another address has not done what its mail said.
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
  ), forgotten AS (
    DELETE FROM used_links WHERE link_hash IN (
      SELECT link_hash FROM used_links WHERE expires_at <= $5 ORDER BY expires_at
      LIMIT (SELECT count(*) + ${sweepSize} FROM ended) FOR UPDATE SKIP LOCKED)
  )
  SELECT id FROM ended`;
