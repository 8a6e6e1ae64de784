import { databaseKinds } from '../support/services.js';
import { openDatabase } from '../support/open-database.js';

describe.each(databaseKinds)('The migrations on %s', (kind) => {
  it('lead to exactly the schema that the entities describe', async () => {
    const { dataSource, close } = await openDatabase(kind);
    try {
      const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
      expect(upQueries.map(({ query }) => query)).toEqual([]);
    } finally {
      await close();
    }
  });

  it('can be taken back and applied again', async () => {
    const { dataSource, close } = await openDatabase(kind);
    const tables = () =>
      dataSource.query<unknown[]>(
        `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1`,
      );
    try {
      const before = await tables();
      const count = dataSource.migrations.length;
      for (let undone = 0; undone < count; undone++) await dataSource.undoLastMigration();
      expect(await tables()).toEqual([{ table_name: 'migrations' }]);
      expect(await dataSource.runMigrations()).toHaveLength(count);
      expect(await tables()).toEqual(before);
    } finally {
      await close();
    }
  });
});
