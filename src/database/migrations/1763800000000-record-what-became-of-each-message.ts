import type { MigrationInterface, QueryRunner } from 'typeorm';

export class RecordWhatBecameOfEachMessage1763800000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE messages DROP CONSTRAINT messages_status`);
    await queryRunner.query(`
      ALTER TABLE messages
        ADD COLUMN requeued_at timestamptz,
        ADD CONSTRAINT messages_status CHECK (status IN
          ('accepted', 'sending', 'sent', 'delayed', 'delivered', 'bounced', 'complained', 'dropped', 'failed'))`);
    await this.createTransitions(queryRunner);
    await queryRunner.query(`
      CREATE TABLE delivery_attempts (
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
      )`);
    await queryRunner.query(`CREATE INDEX delivery_attempts_by_message ON delivery_attempts (message_id)`);
    await queryRunner.query(`
      CREATE INDEX delivery_attempts_by_receipt ON delivery_attempts (provider, receipt_id)
      WHERE receipt_id IS NOT NULL`);
    await queryRunner.query(`
      CREATE TABLE delivery_events (
        provider text NOT NULL,
        event_id text NOT NULL,
        message_id uuid NOT NULL,
        kind text NOT NULL,
        detail text,
        occurred_at timestamptz NOT NULL,
        received_at timestamptz NOT NULL,
        CONSTRAINT delivery_events_pkey PRIMARY KEY (provider, event_id),
        CONSTRAINT delivery_events_kind
          CHECK (kind IN ('delayed', 'delivered', 'bounced', 'complained', 'failed'))
      )`);
    await queryRunner.query(`CREATE INDEX delivery_events_by_message ON delivery_events (message_id)`);
    await queryRunner.query(`
      CREATE TABLE suppressions (
        key bytea NOT NULL,
        channel text NOT NULL,
        reason text NOT NULL,
        masked_identifier text NOT NULL,
        message_id uuid,
        created_at timestamptz NOT NULL,
        CONSTRAINT suppressions_pkey PRIMARY KEY (key),
        CONSTRAINT suppressions_reason CHECK (reason IN ('hard_bounce', 'complaint', 'opt_out', 'operator'))
      )`);
    await queryRunner.query(`CREATE INDEX suppressions_by_time ON suppressions (created_at, key)`);
  }

  /** A function, so that a statement can ask before it tries. */
  private async createTransitions(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE FUNCTION message_may_become(before text, after text) RETURNS boolean
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
      END`);
    await queryRunner.query(`
      CREATE FUNCTION refuse_message_transition() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'A message that is % cannot become %', OLD.status, NEW.status
          USING ERRCODE = 'check_violation', CONSTRAINT = 'messages_transition';
      END $$`);
    await queryRunner.query(`
      CREATE TRIGGER messages_transition BEFORE UPDATE OF status ON messages FOR EACH ROW
      WHEN (OLD.status <> NEW.status AND NOT message_may_become(OLD.status, NEW.status))
      EXECUTE FUNCTION refuse_message_transition()`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const table of ['suppressions', 'delivery_events', 'delivery_attempts']) {
      await queryRunner.query(`DROP TABLE ${table}`);
    }
    await queryRunner.query(`DROP TRIGGER messages_transition ON messages`);
    await queryRunner.query(`DROP FUNCTION refuse_message_transition()`);
    await queryRunner.query(`DROP FUNCTION message_may_become(text, text)`);
    await queryRunner.query(`ALTER TABLE messages DROP CONSTRAINT messages_status, DROP COLUMN requeued_at`);
    // What the old schema has no word for had been taken over by a provider.
    await queryRunner.query(
      `UPDATE messages SET status = 'sent' WHERE status IN ('delayed', 'delivered', 'bounced', 'complained')`,
    );
    await queryRunner.query(`
      ALTER TABLE messages ADD CONSTRAINT messages_status
        CHECK (status IN ('accepted', 'sending', 'sent', 'dropped', 'failed'))`);
  }
}
