export type DatabaseKind = 'embedded' | 'postgresql';

interface TestServices {
  /** The database that the project of this run is about. */
  readonly database: DatabaseKind;
  /** Absent when PostgreSQL is not reachable. */
  readonly postgresUrl?: string;
  /** Absent when Redis is not reachable. */
  readonly redisUrl?: string;
  /** Path of the program; absent when there is none, and then the tests that need it do not run. */
  readonly chromium?: string;
}

/** What jest.config.mjs found on this machine. */
export const services = (globalThis as unknown as { testServices: TestServices }).testServices;

/** For a suite that runs over each database within one project. */
export const databaseKinds: readonly DatabaseKind[] = services.postgresUrl
  ? ['embedded', 'postgresql']
  : ['embedded'];

/** `describe` for what only one kind of database can do, in a suite that runs on both. */
export function describeOn(kind: DatabaseKind, name: string, tests: () => void): void {
  if (services.database === kind) describe(name, tests);
  else describe.skip(name, tests);
}
