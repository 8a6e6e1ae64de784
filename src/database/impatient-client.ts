import pg from 'pg';

type Query = (...query: unknown[]) => unknown;

/**
 * Hangs up when an answer takes longer than `query_timeout`. Without this the connection would go back to the pool
 * with the lost answer still due, and everyone who gets it next would wait in vain behind it.
 */
export class ImpatientClient extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super(config);
    const query = this.query.bind(this) as Query;
    this.query = ((...parts: unknown[]) => {
      const answer = query(...parts);
      if (answer instanceof Promise) answer.catch((error: unknown) => this.hangUpAfter(error));
      return answer;
    }) as typeof this.query;
  }

  private hangUpAfter(error: unknown): void {
    if (error instanceof Error && error.message === 'Query read timeout') void this.end();
  }
}
