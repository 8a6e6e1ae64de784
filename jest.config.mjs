import {
  browserFiles,
  crashFiles,
  postgresFiles,
  project,
  run,
  serverFiles,
  serviceFiles,
  unitFiles,
} from './test/support/jest/project.mjs';

// `npm test`: what needs nothing but npm packages. `npm run test:all` is in jest.all.config.mjs.

export default {
  ...run,
  reporters: [
    'default',
    [
      '<rootDir>/test/support/jest/closing-lines.mjs',
      {
        ran: 'units, contracts and the whole service, on the embedded database',
        notRun: 'PostgreSQL, Redis, browsers, crashes of processes: npm run test:all',
      },
    ],
  ],
  projects: [
    project('unit', { database: 'embedded' }, { testMatch: unitFiles }, [...crashFiles, ...serverFiles]),
    project('embedded', { database: 'embedded' }, { testMatch: serviceFiles }, [
      ...browserFiles,
      ...crashFiles,
      ...postgresFiles,
      ...serverFiles,
    ]),
  ],
};
