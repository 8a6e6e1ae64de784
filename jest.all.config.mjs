import { findServices } from './test/support/jest/available.mjs';
import {
  browserFiles,
  postgresFiles,
  project,
  run,
  serviceFiles,
  unitFiles,
} from './test/support/jest/project.mjs';
import { oneDatabaseIsEnough } from './test/together/groups.mjs';

// `npm run test:all`: everything, on the embedded database and on PostgreSQL, with Redis, browsers and crashes.

export default async () => {
  const found = await findServices();
  const files = { testMatch: serviceFiles };
  const without = found.chromium ? [] : browserFiles;
  const unit = project('unit', { database: 'embedded', ...found }, { testMatch: unitFiles });
  /** @param {string[]} patterns of what does not run there */
  const embedded = (patterns) => project('embedded', { database: 'embedded', ...found }, files, patterns);
  if (!found.postgresUrl) return { ...run, projects: [unit, embedded([...without, ...postgresFiles])] };
  const postgresql = project('postgresql', { database: 'postgresql', ...found }, files, without);
  return { ...run, projects: [unit, embedded([...oneDatabaseIsEnough, ...postgresFiles]), postgresql] };
};
