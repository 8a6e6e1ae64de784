import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';

// Most of what a test file of the whole service costs is loading two thousand modules and starting a database. So files
// run together, a group after the other, in the place of one. Each can still be run alone: `npx jest test/limits`.
// A file that stands in no group runs alone, and on each database.

/** What the database decides with: on the embedded one and on PostgreSQL. */
const onEachDatabase = {
  accept: ['resend', 'idempotency', 'signup', 'no-oracle'],
  deliver: [
    'delivery',
    'delivery-limit',
    'recipient-limit',
    'retries',
    'failover',
    'outage',
    'reported-delivery',
    'sms-abuse',
  ],
  verify: ['verify', 'stop', 'user', 'guesses', 'key-rotation'],
  operate: ['admin-messages', 'admin-stats', 'admin-suppressions', 'delivery-events', 'housekeeping'],
};

/**
 * What would not notice another database: the rules of HTTP, limits in memory, signatures, pages. In `npm test` on the
 * embedded one, in `npm run test:all` on PostgreSQL.
 */
const onOneDatabase = {
  http: [
    'hardening',
    'development',
    'hostile-bodies',
    'public-hostile',
    'resend-hostile',
    'resend-seed',
    'admin-access',
    'admin-hostile',
    'openapi',
  ],
  clients: [
    'limits',
    'captcha-guard',
    'captcha-modes',
    'landing',
    'verify-page',
    'scanners',
    'inbox',
    'ses-events',
    'sms-keywords',
  ],
  browser: ['docs-page.browser', 'inbox-page.browser', 'scanners.browser', 'verify-page.browser'],
};

const root = join(import.meta.dirname, '..');
const contracts = readdirSync(join(root, 'contracts')).map((name) => basename(name, '.spec.ts'));

/** @type {Readonly<Record<string, string[]>>} without their endings, in the order in which they run */
const groups = { ...onEachDatabase, ...onOneDatabase, contracts };

/**
 * @param {string} group
 * @returns {string[]} relative to `test`
 */
export function filesOf(group) {
  const files = groups[group];
  if (!files) throw new Error(`There is no group ${group}`);
  return files.map((name) => (group === 'contracts' ? `contracts/${name}.spec` : `${name}.e2e-spec`));
}

/**
 * What a run is made of: where a group runs, its files do not run a second time, alone.
 *
 * @param {string[]} paths of all that was asked for
 */
export function withoutMembersOfGroups(paths) {
  const members = Object.keys(groups)
    .filter((group) => paths.includes(join(root, 'together', `${group}.ts`)))
    .flatMap(filesOf)
    .map((file) => join(root, `${file}.ts`));
  return paths.filter((path) => !members.includes(path));
}

/** Patterns of the files of `onOneDatabase` and their groups, for a project that is about the other database. */
export const oneDatabaseIsEnough = Object.entries(onOneDatabase).flatMap(([group, names]) => [
  `/together/${group}\\.ts$`,
  ...names.map((name) => `/test/${name.replace('.', '\\.')}\\.e2e-spec\\.ts$`),
]);
