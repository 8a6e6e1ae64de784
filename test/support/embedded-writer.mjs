import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import pg from 'pg';

// A process of its own that writes numbered rows into an embedded database, several at a time, and prints the number
// of each that has been acknowledged. A row fills a page, so that the file grows quickly. Arguments: the compiled source, the folder of the database.

const [source = '', folder = ''] = process.argv.slice(2);
const { EmbeddedDatabase } =
  /** @type {typeof import('../../src/database/embedded/embedded-database.js')} */ (
    await import(pathToFileURL(join(source, 'database/embedded/embedded-database.js')).href)
  );
const database = new EmbeddedDatabase(folder);
const pool = new pg.Pool({ max: 4, stream: () => database.connect() });
await pool.query(
  "CREATE TABLE IF NOT EXISTS rows (n serial PRIMARY KEY, page text STORAGE PLAIN NOT NULL DEFAULT repeat('x', 7900))",
);
process.stdout.write('ready\n');

async function write() {
  for (;;) {
    const { rows } = await /** @type {Promise<pg.QueryResult<{ n: number }>>} */ (
      pool.query('INSERT INTO rows DEFAULT VALUES RETURNING n')
    );
    process.stdout.write(`${rows[0]?.n}\n`);
  }
}
await Promise.all([write(), write(), write(), write()]);
