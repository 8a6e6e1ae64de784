import { readFileSync, existsSync } from 'node:fs';
import { connect } from 'node:net';

/**
 * @param {string} file
 * @returns {unknown}
 */
function json(file) {
  return JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8'));
}

/** Packages that are ES modules only: Jest on Node 20 cannot load them, so they are compiled to CommonJS. */
function esmPackages() {
  const lock = /** @type {{ packages: object }} */ (json('./package-lock.json'));
  return Object.keys(lock.packages)
    .filter((folder) => folder.startsWith('node_modules/'))
    .filter((folder) => {
      const manifest = `./${folder}/package.json`;
      if (!existsSync(new URL(manifest, import.meta.url))) return false;
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

/** What every project of the suite shares. */
const common = {
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  transform: { '^.+\\.(t|m?j)s$': swc },
  transformIgnorePatterns: [`node_modules/(?!(${esmPackages().join('|')})/)`],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  moduleFileExtensions: ['ts', 'js', 'mjs', 'cjs', 'json', 'node'],
};

const postgresUrl = process.env['TEST_DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres';
const redisUrl = process.env['TEST_REDIS_URL'] ?? 'redis://127.0.0.1:6379';

/**
 * Whether something accepts connections there. What is missing is said once, in one line; with `CI=true` it is an
 * error, so that no pipeline is green for want of a database.
 *
 * @param {string} name
 * @param {string} url
 * @param {string} variable
 * @param {number} defaultPort
 */
async function reachable(name, url, variable, defaultPort) {
  const { hostname, port, host } = new URL(url);
  /** @type {boolean} */
  const answers = await new Promise((resolve) => {
    const socket = connect(Number(port || defaultPort), hostname.replace(/^\[|\]$/g, ''));
    /** @param {boolean} answer */
    const settle = (answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(2_000, () => settle(false));
    socket.once('connect', () => settle(true)).once('error', () => settle(false));
  });
  if (!answers) notCovered(`everything that needs ${name}`, `nothing answers at ${host} (set ${variable})`);
  return answers;
}

/**
 * @param {string} what
 * @param {string} why
 */
function notCovered(what, why) {
  const message = `NOT COVERED: ${what}, because ${why}`;
  if (process.env['CI'] === 'true') throw new Error(message);
  console.warn(message);
}

/** Where Chromium is, for the tests that do what a person does; undefined when there is none. */
function findChromium() {
  const wanted = process.env['TEST_CHROMIUM'];
  const places = wanted
    ? [wanted]
    : ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
  const found = places.find((place) => existsSync(place));
  if (!found)
    notCovered('the pages in a browser', `there is no Chromium at ${places.join(', ')} (set TEST_CHROMIUM)`);
  return found;
}

/**
 * What the tests find under `testServices`; see test/support/services.ts.
 *
 * @param {'embedded' | 'postgresql'} database
 * @param {{ postgresUrl?: string, redisUrl?: string, chromium?: string }} available
 */
function services(database, available) {
  return { globals: { testServices: { database, ...available } } };
}

export default async () => {
  const postgres = await reachable('PostgreSQL', postgresUrl, 'TEST_DATABASE_URL', 5432);
  const redis = await reachable('Redis', redisUrl, 'TEST_REDIS_URL', 6379);
  const chromium = findChromium();
  const available = {
    ...(postgres && { postgresUrl }),
    ...(redis && { redisUrl }),
    ...(chromium && { chromium }),
  };
  const wholeApp = {
    ...common,
    testMatch: ['<rootDir>/test/**/*.e2e-spec.ts'],
    testPathIgnorePatterns: ['/node_modules/', ...(chromium ? [] : ['\\.browser\\.e2e-spec\\.ts$'])],
  };
  return {
    testTimeout: 240_000,
    globalSetup: '<rootDir>/test/support/global-setup.mjs',
    projects: [
      {
        ...common,
        ...services('embedded', available),
        displayName: 'unit',
        testMatch: ['<rootDir>/test/{unit,contracts}/**/*.spec.ts'],
      },
      { ...wholeApp, ...services('embedded', available), displayName: 'embedded' },
      ...(postgres ? [{ ...wholeApp, ...services('postgresql', available), displayName: 'postgresql' }] : []),
    ],
  };
};
