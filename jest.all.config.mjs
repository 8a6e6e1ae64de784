import { findServices } from './test/support/jest/available.mjs';
import { browserFiles, project, run, serviceFiles, unitFiles } from './test/support/jest/project.mjs';

// `npm run test:all`: everything, on the embedded database and on PostgreSQL, with Redis, browsers and crashes.

export default async () => {
  const found = await findServices();
  const without = found.chromium ? [] : [browserFiles];
  const files = { testMatch: serviceFiles };
  return {
    ...run,
    projects: [
      project('unit', { database: 'embedded', ...found }, { testMatch: unitFiles }),
      project('embedded', { database: 'embedded', ...found }, files, without),
      ...(found.postgresUrl
        ? [project('postgresql', { database: 'postgresql', ...found }, files, without)]
        : []),
    ],
  };
};
