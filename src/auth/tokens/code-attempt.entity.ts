import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The guesses of late for one identifier and purpose, known or not; the key is a keyed hash of both. */
@Entity('code_attempts')
export class CodeAttemptEntity {
  @PrimaryColumn('bytea') key: Buffer;
  @Column('timestamptz', { name: 'attempted_at', array: true }) attemptedAt: Date[];
}
