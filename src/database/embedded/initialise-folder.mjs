import { workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';

// Creates an empty database and shuts it down cleanly. A thread of its own, because it needs 500 MB that are given
// back only with the thread.

/** @type {unknown} */
const given = workerData;
const { folder } = /** @type {{ folder: string }} */ (given);
const database = await PGlite.create(folder);
await database.close();
// In WebAssembly, leaving is an exception that sets this: here nothing has failed.
process.exitCode = 0;
