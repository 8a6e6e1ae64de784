// A table of messages as it stands after a month of a large service.

export const days = 30;

/** @param {string} name @param {() => Promise<unknown>} work */
export async function timed(name, work) {
  const began = performance.now();
  await work();
  console.log(`${name}: ${((performance.now() - began) / 1_000).toFixed(1)} s`);
}

/** The smallest UUIDv7 of a moment. @param {number} ms */
export function uuidAt(ms) {
  const hex = Math.floor(ms).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}

/** A UUIDv7 of the moment `ms`, its random bits from `seed`. @param {string} ms @param {string} seed */
const uuid = (ms, seed) =>
  `(lpad(to_hex(${ms}), 12, '0') || '7' || left(md5(${seed}), 3) || '8' || right(md5(${seed}), 15))::uuid`;

/** Ordinary for a large service: nearly all is sent, a tenth is for unknown addresses, little fails, and some things are very rare. */
const fillMessages = `
  INSERT INTO messages (id, type, channel, recipient, status, reason, attempts, due_at, accepted_at, ended_at)
  SELECT ${uuid('ms', 'i::text')}, type, CASE type WHEN 'sms' THEN 'sms' ELSE 'email' END,
    CASE type WHEN 'sms' THEN '+1555' || lpad((i * 7919 % 3000000)::text, 7, '0')
      ELSE 'user' || i * 7919 % 3000000 || '@example.com' END,
    status, CASE status WHEN 'dropped' THEN 'unknown_user' WHEN 'failed' THEN 'expired' END,
    1, at, at, CASE status WHEN 'accepted' THEN NULL ELSE at + interval '1 second' END
  FROM (
    SELECT i, ms, to_timestamp(ms / 1000.0) AS at,
      CASE WHEN i % 100003 = 0 THEN 'email_change' WHEN i % 20 < 12 THEN 'signup' WHEN i % 20 < 17 THEN 'magiclink'
        WHEN i % 20 < 19 THEN 'recovery' ELSE 'sms' END AS type,
      CASE WHEN i > $5::bigint - 50 THEN 'accepted' WHEN i % 10000 = 7 THEN 'complained' WHEN i % 1000 = 3 THEN 'failed'
        WHEN i % 200 = 1 THEN 'bounced' WHEN i % 10 = 0 THEN 'dropped' WHEN i % 10 < 4 THEN 'delivered' ELSE 'sent' END
        AS status
    FROM (SELECT i, ($3::float8 + i * $4::float8)::bigint AS ms FROM generate_series($1::bigint, $2) i) n
  ) m`;
const fillAttempts = `
  INSERT INTO delivery_attempts (id, message_id, attempt, provider, outcome, started_at, ended_at)
  SELECT ${uuid('(extract(epoch FROM accepted_at) * 1000)::bigint', "id::text || 'a'")}, id, 1,
    CASE WHEN channel = 'sms' THEN 'twilio' WHEN left(md5(id::text), 4) = '0000' THEN 'reserve' ELSE 'smtp' END,
    CASE status WHEN 'failed' THEN 'transient' ELSE 'sent' END, accepted_at, accepted_at + interval '1 second'
  FROM messages WHERE status NOT IN ('dropped', 'accepted') AND id >= $1 AND id < $2`;

/** @param {import('pg').Client} client @param {number} rows @param {number} endMs the time of the last */
export async function fillMessagesAndAttempts(client, rows, endMs) {
  const beginMs = endMs - days * 86_400_000;
  const { rows: indexes } = await client.query(
    `SELECT indexname AS name, indexdef AS definition FROM pg_indexes
     WHERE tablename IN ('messages', 'delivery_attempts') AND indexname NOT LIKE '%_pkey'`,
  );
  for (const { name } of indexes) await client.query(`DROP INDEX ${name}`);
  await client.query(`SET synchronous_commit = off; SET maintenance_work_mem = '512MB'`);
  const part = 500_000;
  await timed(`${rows} messages`, async () => {
    for (let from = 1; from <= rows; from += part)
      await client.query(fillMessages, [
        from,
        Math.min(rows, from + part - 1),
        beginMs,
        (endMs - beginMs) / rows,
        rows,
      ]);
  });
  await timed('their attempts', async () => {
    for (let day = 0; day <= days; day++)
      await client.query(fillAttempts, [
        uuidAt(beginMs + day * 86_400_000),
        uuidAt(beginMs + (day + 1) * 86_400_000),
      ]);
  });
  for (const { name, definition } of indexes) await timed(name, () => client.query(definition));
  await timed('vacuum analyze', () => client.query('VACUUM ANALYZE'));
  const { rows: sizes } = await client.query(
    `SELECT relname AS name, pg_size_pretty(pg_relation_size(oid)) AS size FROM pg_class
     WHERE relname ~ '^(messages|delivery_attempts)' ORDER BY 1`,
  );
  for (const { name, size } of sizes) console.log(`${name}: ${size}`);
}
