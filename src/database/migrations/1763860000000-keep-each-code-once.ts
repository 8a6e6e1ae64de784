import type { MigrationInterface, QueryRunner } from 'typeorm';

export class KeepEachCodeOnce1763860000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE tokens ALTER COLUMN code_hash DROP NOT NULL`);
    await queryRunner.query(`
      UPDATE tokens SET code_hash = NULL
      FROM tokens AS newer
      WHERE newer.user_id = tokens.user_id AND newer.purpose = tokens.purpose
        AND newer.recipient = tokens.recipient AND newer.code_seed = tokens.code_seed AND newer.id > tokens.id`);
    await queryRunner.query(
      `CREATE INDEX tokens_with_code ON tokens (user_id, purpose) WHERE code_hash IS NOT NULL`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP INDEX tokens_with_code`);
    // No code has this hash: the code of these rows stands with a newer one.
    await queryRunner.query(`UPDATE tokens SET code_hash = sha256(uuid_send(id)) WHERE code_hash IS NULL`);
    await queryRunner.query(`ALTER TABLE tokens ALTER COLUMN code_hash SET NOT NULL`);
  }
}
