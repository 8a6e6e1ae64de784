import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CountWhatSmsCost1763830000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE sms_numbers (
        key bytea NOT NULL,
        sent_at timestamptz[] NOT NULL,
        last_sent_at timestamptz NOT NULL,
        CONSTRAINT sms_numbers_pkey PRIMARY KEY (key)
      )`);
    await queryRunner.query(`CREATE INDEX sms_numbers_by_time ON sms_numbers (last_sent_at)`);
    await queryRunner.query(`
      CREATE TABLE sms_prefixes (
        prefix text NOT NULL,
        debt_ms bigint NOT NULL,
        at timestamptz NOT NULL,
        CONSTRAINT sms_prefixes_pkey PRIMARY KEY (prefix)
      )`);
    await queryRunner.query(`CREATE INDEX sms_prefixes_by_time ON sms_prefixes (at)`);
    await queryRunner.query(`
      CREATE TABLE sms_spending (
        day date NOT NULL,
        scope text NOT NULL,
        micros bigint NOT NULL,
        CONSTRAINT sms_spending_pkey PRIMARY KEY (day, scope)
      )`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const table of ['sms_spending', 'sms_prefixes', 'sms_numbers']) {
      await queryRunner.query(`DROP TABLE ${table}`);
    }
  }
}
