import type { MigrationInterface, QueryRunner } from 'typeorm';

// The schema of the first release, one section for each room that owns the tables.

const users = [
  `CREATE TABLE users (
    id uuid NOT NULL,
    email text,
    phone text,
    password_hash text NOT NULL,
    email_confirmed_at timestamptz,
    phone_confirmed_at timestamptz,
    pending_email text,
    pending_phone text,
    pending_since timestamptz,
    banned_until timestamptz,
    metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL,
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_email_key UNIQUE (email),
    CONSTRAINT users_phone_key UNIQUE (phone)
  )`,
  `CREATE INDEX users_pending_email ON users (pending_email) WHERE pending_email IS NOT NULL`,
  `CREATE INDEX users_pending_phone ON users (pending_phone) WHERE pending_phone IS NOT NULL`,
];

/**
 * The two indexes for operators leave out messages on their way, so that accepting and claiming write to no index more.
 * What is sent and stays sent costs one entry, when it ends.
 */
const messages = [
  `CREATE TABLE messages (
    id uuid NOT NULL,
    type text NOT NULL,
    channel text NOT NULL,
    recipient text NOT NULL,
    redirect_to text,
    asked_by bytea, named_guesses smallint NOT NULL DEFAULT 0, asker_guesses smallint NOT NULL DEFAULT 0,
    status text NOT NULL DEFAULT 'accepted',
    reason text,
    attempts integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL,
    claimed_by uuid,
    accepted_at timestamptz NOT NULL,
    ended_at timestamptz,
    requeued_at timestamptz,
    CONSTRAINT messages_pkey PRIMARY KEY (id),
    CONSTRAINT messages_status CHECK (status IN
      ('accepted', 'sending', 'sent', 'delayed', 'delivered', 'bounced', 'complained', 'dropped', 'failed'))
  )`,
  `CREATE INDEX messages_due ON messages (due_at) WHERE status IN ('accepted', 'sending')`,
  `CREATE INDEX messages_by_recipient ON messages (recipient, id) WHERE status NOT IN ('accepted', 'sending')`,
  `CREATE INDEX messages_by_asker ON messages (asked_by, id)`,
  `CREATE INDEX messages_by_trouble ON messages (status, id)
    WHERE status IN ('delayed', 'bounced', 'complained', 'dropped', 'failed')`,
];

/** A function, so that a statement can ask before it tries; a trigger, so that none can do otherwise. */
const messageTransitions = [
  `CREATE FUNCTION message_may_become(before text, after text) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE before
    WHEN 'accepted' THEN after IN ('sending', 'delivered', 'bounced', 'complained', 'dropped', 'failed')
    WHEN 'sending' THEN after IN
      ('accepted', 'sent', 'delayed', 'delivered', 'bounced', 'complained', 'dropped', 'failed')
    WHEN 'sent' THEN after IN ('delayed', 'delivered', 'bounced', 'complained', 'failed')
    WHEN 'delayed' THEN after IN ('delivered', 'bounced', 'complained', 'failed')
    WHEN 'delivered' THEN after IN ('bounced', 'complained')
    WHEN 'bounced' THEN after = 'accepted'
    WHEN 'dropped' THEN after = 'accepted'
    WHEN 'failed' THEN after IN ('accepted', 'delivered', 'bounced', 'complained')
    ELSE false
  END`,
  `CREATE FUNCTION refuse_message_transition() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    RAISE EXCEPTION 'A message that is % cannot become %', OLD.status, NEW.status
      USING ERRCODE = 'check_violation', CONSTRAINT = 'messages_transition';
  END $$`,
  `CREATE TRIGGER messages_transition BEFORE UPDATE OF status ON messages FOR EACH ROW
  WHEN (OLD.status <> NEW.status AND NOT message_may_become(OLD.status, NEW.status))
  EXECUTE FUNCTION refuse_message_transition()`,
];

const delivery = [
  `CREATE TABLE delivery_attempts (
    id uuid NOT NULL,
    message_id uuid NOT NULL,
    attempt integer NOT NULL,
    provider text,
    receipt_id text,
    outcome text NOT NULL,
    error text,
    started_at timestamptz,
    ended_at timestamptz NOT NULL,
    CONSTRAINT delivery_attempts_pkey PRIMARY KEY (id),
    CONSTRAINT delivery_attempts_outcome CHECK (outcome IN ('sent', 'transient', 'permanent', 'unknown'))
  )`,
  `CREATE INDEX delivery_attempts_by_message ON delivery_attempts (message_id)`,
  `CREATE INDEX delivery_attempts_by_receipt ON delivery_attempts (provider, receipt_id)
    WHERE receipt_id IS NOT NULL`,
  `CREATE TABLE delivery_events (
    provider text NOT NULL,
    event_id text NOT NULL,
    message_id uuid NOT NULL,
    kind text NOT NULL,
    detail text,
    occurred_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    CONSTRAINT delivery_events_pkey PRIMARY KEY (provider, event_id),
    CONSTRAINT delivery_events_kind CHECK (kind IN ('delayed', 'delivered', 'bounced', 'complained', 'failed'))
  )`,
  `CREATE INDEX delivery_events_by_message ON delivery_events (message_id)`,
];

const suppressions = [
  `CREATE TABLE suppressions (
    key bytea NOT NULL,
    channel text NOT NULL,
    reason text NOT NULL,
    masked_identifier text NOT NULL,
    message_id uuid,
    created_at timestamptz NOT NULL,
    CONSTRAINT suppressions_pkey PRIMARY KEY (key),
    CONSTRAINT suppressions_reason CHECK (reason IN ('hard_bounce', 'complaint', 'opt_out', 'operator'))
  )`,
  `CREATE INDEX suppressions_by_time ON suppressions (created_at, key)`,
  `CREATE TABLE stopped_mails (
    key bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT stopped_mails_pkey PRIMARY KEY (key)
  )`,
  `CREATE INDEX stopped_mails_expires_at ON stopped_mails (expires_at)`,
  `CREATE TABLE sms_keywords (
    provider text NOT NULL,
    event_id text NOT NULL,
    keyword text NOT NULL,
    received_at timestamptz NOT NULL,
    CONSTRAINT sms_keywords_pkey PRIMARY KEY (provider, event_id),
    CONSTRAINT sms_keywords_keyword CHECK (keyword IN ('stop', 'start'))
  )`,
  `CREATE INDEX sms_keywords_received_at ON sms_keywords (received_at)`,
];

const tokens = [
  `CREATE TABLE tokens (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    purpose text NOT NULL,
    recipient text NOT NULL,
    link_hash bytea,
    code_hash bytea,
    code_seed uuid NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT tokens_pkey PRIMARY KEY (id),
    CONSTRAINT tokens_link_hash_key UNIQUE (link_hash)
  )`,
  `CREATE INDEX tokens_by_user_and_purpose ON tokens (user_id, purpose)`,
  `CREATE INDEX tokens_with_code ON tokens (user_id, purpose) WHERE code_hash IS NOT NULL`,
  `CREATE TABLE used_links (
    link_hash bytea NOT NULL,
    purpose text NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT used_links_pkey PRIMARY KEY (link_hash)
  )`,
  `CREATE INDEX used_links_expires_at ON used_links (expires_at)`,
  `CREATE TABLE guess_totals (key bytea NOT NULL, total integer NOT NULL, is_counted boolean NOT NULL,
    expires_at timestamptz NOT NULL, CONSTRAINT guess_totals_pkey PRIMARY KEY (key))`,
  `CREATE INDEX guess_totals_expires_at ON guess_totals (expires_at)`,
];

const idempotency = [
  `CREATE TABLE idempotency_keys (
    key bytea NOT NULL,
    fingerprint bytea NOT NULL,
    message_id uuid NOT NULL,
    claimed_at timestamptz,
    expires_at timestamptz NOT NULL,
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (key)
  )`,
  `CREATE INDEX idempotency_keys_expires_at ON idempotency_keys (expires_at)`,
];

const limits = [
  `CREATE TABLE sliding_logs (
    key bytea NOT NULL,
    times timestamptz[] NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT sliding_logs_pkey PRIMARY KEY (key)
  )`,
  `CREATE INDEX sliding_logs_expires_at ON sliding_logs (expires_at)`,
  `CREATE TABLE sms_prefixes (
    prefix text NOT NULL,
    debt_ms bigint NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT sms_prefixes_pkey PRIMARY KEY (prefix)
  )`,
  `CREATE INDEX sms_prefixes_by_time ON sms_prefixes (at)`,
  `CREATE TABLE sms_spending (
    day date NOT NULL,
    scope text NOT NULL,
    micros bigint NOT NULL,
    CONSTRAINT sms_spending_pkey PRIMARY KEY (day, scope)
  )`,
];

const sections = [users, messages, messageTransitions, delivery, suppressions, tokens, idempotency, limits];

export class CreateSchema1764300000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of sections.flat()) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE users, messages, delivery_attempts, delivery_events, suppressions, stopped_mails, sms_keywords,
      tokens, used_links, guess_totals, idempotency_keys, sliding_logs, sms_prefixes, sms_spending`);
    await queryRunner.query(`DROP FUNCTION refuse_message_transition(), message_may_become(text, text)`);
  }
}
