import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateUsersMessagesTokens1763600000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE users (
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
      )`);
    await queryRunner.query(
      `CREATE INDEX users_pending_email ON users (pending_email) WHERE pending_email IS NOT NULL`,
    );
    await queryRunner.query(
      `CREATE INDEX users_pending_phone ON users (pending_phone) WHERE pending_phone IS NOT NULL`,
    );
    await queryRunner.query(`
      CREATE TABLE messages (
        id uuid NOT NULL,
        type text NOT NULL,
        channel text NOT NULL,
        recipient text NOT NULL,
        redirect_to text,
        status text NOT NULL DEFAULT 'accepted',
        reason text,
        attempts integer NOT NULL DEFAULT 0,
        due_at timestamptz NOT NULL,
        claimed_by uuid,
        accepted_at timestamptz NOT NULL,
        ended_at timestamptz,
        CONSTRAINT messages_pkey PRIMARY KEY (id),
        CONSTRAINT messages_status CHECK (status IN ('accepted', 'sending', 'sent', 'dropped', 'failed'))
      )`);
    await queryRunner.query(
      `CREATE INDEX messages_due ON messages (due_at) WHERE status IN ('accepted', 'sending')`,
    );
    await queryRunner.query(`
      CREATE TABLE tokens (
        id uuid NOT NULL,
        user_id uuid NOT NULL,
        purpose text NOT NULL,
        recipient text NOT NULL,
        link_hash bytea,
        code_hash bytea NOT NULL,
        code_seed uuid NOT NULL,
        expires_at timestamptz NOT NULL,
        CONSTRAINT tokens_pkey PRIMARY KEY (id),
        CONSTRAINT tokens_link_hash_key UNIQUE (link_hash)
      )`);
    await queryRunner.query(`CREATE INDEX tokens_by_user_and_purpose ON tokens (user_id, purpose)`);
    await queryRunner.query(`
      CREATE TABLE code_attempts (
        key bytea NOT NULL,
        attempted_at timestamptz[] NOT NULL,
        CONSTRAINT code_attempts_pkey PRIMARY KEY (key)
      )`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const table of ['code_attempts', 'tokens', 'messages', 'users']) {
      await queryRunner.query(`DROP TABLE ${table}`);
    }
  }
}
