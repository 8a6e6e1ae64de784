import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateUsedLinks1763850000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE used_links (
        link_hash bytea NOT NULL,
        purpose text NOT NULL,
        expires_at timestamptz NOT NULL,
        CONSTRAINT used_links_pkey PRIMARY KEY (link_hash)
      )`);
    await queryRunner.query(`CREATE INDEX used_links_expires_at ON used_links (expires_at)`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE used_links`);
  }
}
