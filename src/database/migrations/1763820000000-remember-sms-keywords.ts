import type { MigrationInterface, QueryRunner } from 'typeorm';

export class RememberSmsKeywords1763820000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE sms_keywords (
        provider text NOT NULL,
        event_id text NOT NULL,
        keyword text NOT NULL,
        received_at timestamptz NOT NULL,
        CONSTRAINT sms_keywords_pkey PRIMARY KEY (provider, event_id),
        CONSTRAINT sms_keywords_keyword CHECK (keyword IN ('stop', 'start'))
      )`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE sms_keywords`);
  }
}
