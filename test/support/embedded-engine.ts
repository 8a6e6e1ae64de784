import { cpSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import {
  type EmbeddedConnection,
  EmbeddedConnections,
} from '../../src/database/embedded/embedded-connections.js';
import { EmbeddedDatabase } from '../../src/database/embedded/embedded-database.js';
import { atEnd } from './at-end.js';
import { embeddedTemplate, prefix } from './database-templates.mjs';

// To start an embedded database costs seconds, to empty one a tenth of a second. So one application after the other gets
// the same engine, emptied. What is about the start, the files or the end of the embedded database does not use this.

const idle: EmbeddedEngine[] = [];

/** An engine with an empty, migrated database, to be given back with `giveBack`. */
export async function borrowEngine(): Promise<EmbeddedEngine> {
  const engine = idle.pop() ?? (await EmbeddedEngine.start());
  await engine.empty();
  return engine;
}

class EmbeddedEngine extends EmbeddedConnections {
  private readonly connections = new Set<EmbeddedConnection>();

  private constructor(
    private readonly database: EmbeddedDatabase,
    private readonly administrator: pg.Client,
  ) {
    super();
  }

  static async start(): Promise<EmbeddedEngine> {
    // The time tells the clean-up of a later run how old it is.
    const folder = await mkdtemp(join(tmpdir(), `${prefix}-${Date.now()}-`));
    const files = join(folder, 'database');
    await copyTemplate(files);
    const database = new EmbeddedDatabase(files);
    const administrator = new pg.Client({ stream: () => database.connect() });
    await administrator.connect();
    atEnd(async () => {
      await administrator.end();
      await database.close();
      await rm(folder, { recursive: true, force: true });
    });
    return new EmbeddedEngine(database, administrator);
  }

  override connect(): EmbeddedConnection {
    const connection = this.database.connect();
    this.connections.add(connection);
    return connection.once('close', () => this.connections.delete(connection));
  }

  /** What an application does with its database when it ends: of this one only its connections end. */
  override async close(): Promise<void> {
    for (const connection of this.connections) connection.destroy();
  }

  async giveBack(): Promise<void> {
    await this.close();
    idle.push(this);
  }

  async empty(): Promise<void> {
    // The connections share one session, and with it what was set, listened to and locked in it.
    await this.administrator.query('DISCARD ALL');
    await this.administrator.query(`DO $$ BEGIN EXECUTE (
      SELECT 'TRUNCATE ' || string_agg(oid::regclass::text, ', ') || ' RESTART IDENTITY' FROM pg_class
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'migrations'
    ); END $$`);
  }
}

export async function copyTemplate(files: string): Promise<void> {
  // In one go: a thousand small copies through the thread pool once never came to an end under Node 24.
  cpSync(join(await embeddedTemplate(), 'database'), files, { recursive: true });
}
