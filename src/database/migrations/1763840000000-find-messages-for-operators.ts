import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Neither index knows of messages on their way, so that accepting and claiming write to no index more than before. What
 * is sent and stays sent costs one entry, when it ends.
 */
export class FindMessagesForOperators1763840000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE INDEX messages_by_recipient ON messages (recipient, id)
      WHERE status NOT IN ('accepted', 'sending')`);
    await queryRunner.query(`
      CREATE INDEX messages_by_trouble ON messages (status, id)
      WHERE status IN ('delayed', 'bounced', 'complained', 'dropped', 'failed')`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP INDEX messages_by_trouble`);
    await queryRunner.query(`DROP INDEX messages_by_recipient`);
  }
}
