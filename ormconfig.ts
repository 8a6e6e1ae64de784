import { authEntities } from './src/auth/auth.entities.js';
import { environment, readConfig } from './src/config/config.js';
import { createDataSource, dataSourceOptions } from './src/database/data-source.js';

/** The one DataSource: embedded by default, PostgreSQL by `DATABASE_URL`. For TypeORM's command line. */
export default createDataSource(dataSourceOptions(readConfig(environment()), authEntities));
