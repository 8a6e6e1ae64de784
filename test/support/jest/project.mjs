import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// What every project of the suite shares, in `npm test` as in `npm run test:all`.

const rootDir = fileURLToPath(new URL('../../..', import.meta.url));

/**
 * @param {string} file
 * @returns {unknown}
 */
function json(file) {
  return JSON.parse(readFileSync(join(rootDir, file), 'utf8'));
}

/** Packages that are ES modules only: Jest on Node 20 cannot load them, so they are compiled to CommonJS. */
function esmPackages() {
  const lock = /** @type {{ packages: object }} */ (json('package-lock.json'));
  return Object.keys(lock.packages)
    .filter((folder) => folder.startsWith('node_modules/'))
    .filter((folder) => {
      const manifest = `${folder}/package.json`;
      if (!existsSync(join(rootDir, manifest))) return false;
      return /** @type {{ type?: string }} */ (json(manifest)).type === 'module';
    })
    .map((folder) => folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length));
}

const swc = [
  '@swc/jest',
  {
    jsc: {
      target: 'es2022',
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
      keepClassNames: true,
    },
    module: { type: 'commonjs' },
    sourceMaps: 'inline',
  },
];

const common = {
  rootDir,
  testEnvironment: 'node',
  transform: { '^.+\\.(t|m?j)s$': swc },
  transformIgnorePatterns: [`node_modules/(?!(${esmPackages().join('|')})/)`],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  setupFilesAfterEnv: ['<rootDir>/test/support/jest/end.ts'],
  moduleFileExtensions: ['ts', 'js', 'mjs', 'cjs', 'json', 'node'],
};

/** What every run shares. */
export const run = {
  rootDir,
  testTimeout: 240_000,
  globalSetup: '<rootDir>/test/support/global-setup.mjs',
  filter: '<rootDir>/test/together/filter.cjs',
};

/**
 * @param {string} displayName
 * @param {import('../services.ts').TestServices} services what its files find under `testServices`
 * @param {{ testMatch: string[] }} files
 * @param {string[]} without patterns of those among them that do not run
 */
export function project(displayName, services, files, without = []) {
  return {
    ...common,
    displayName,
    ...files,
    testPathIgnorePatterns: ['/node_modules/', ...without],
    globals: { testServices: services },
  };
}

export const unitFiles = [
  '<rootDir>/test/{unit,contracts}/**/*.spec.ts',
  '<rootDir>/test/together/contracts.ts',
];
export const serviceFiles = [
  '<rootDir>/test/*.e2e-spec.ts',
  '<rootDir>/test/together/!(contracts|together).ts',
];
/** Patterns of files. */
export const browserFiles = ['\\.browser\\.e2e-spec\\.ts$', '/together/browser\\.ts$'];
/** Processes of their own that are killed, stopped, or run out of disk. */
export const crashFiles = [
  '/(crash|durability|one-process)\\.e2e-spec\\.ts$',
  '/unit/embedded-(disk-full|process)\\.spec\\.ts$',
];
/** Several processes that share a database. */
export const postgresFiles = ['/(roles|workers)\\.e2e-spec\\.ts$'];
/** Nothing in them runs without a Redis or a PostgreSQL of their own. */
export const serverFiles = [
  '/unit/(redis-(outage|sliding-log|cluster)|corking-redis|postgres-restart)\\.spec\\.ts$',
  '/shared-limits\\.e2e-spec\\.ts$',
];
