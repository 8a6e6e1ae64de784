export type DatabaseKind = 'embedded' | 'postgresql';

/** What a run has. `npm test` needs nothing and asks for nothing; `npm run test:all` looks for all and says what is missing. */
export interface TestServices {
  /** The database that the project of this run is about. */
  readonly database: DatabaseKind;
  /** A server that is there to make databases in. */
  readonly postgresUrl?: string | undefined;
  /** Where `initdb` is, for tests that start and stop a PostgreSQL of their own. */
  readonly postgresPrograms?: string | undefined;
  /** Whether tests can start a Redis of their own. */
  readonly redisServer?: boolean | undefined;
  /** Path of the program. */
  readonly chromium?: string | undefined;
}

/** What the configuration of this run says. */
export const services = (globalThis as unknown as { testServices: TestServices }).testServices;

/** For a suite that runs over each database within one project. */
export const databaseKinds: readonly DatabaseKind[] = services.postgresUrl
  ? ['embedded', 'postgresql']
  : ['embedded'];

/** `describe` for what only one kind of database can do, in a suite that runs on both. */
export function describeOn(kind: DatabaseKind, name: string, tests: () => void): void {
  if (services.database === kind) describe(name, tests);
  // The other database's project runs it; Jest's counts say that this one has not.
  else describe.skip(name, tests);
}
