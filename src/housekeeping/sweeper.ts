/** Takes away what nobody needs any more, of one kind. */
export abstract class Sweeper {
  /** What it takes away, in the plural; for the log. */
  abstract readonly what: string;

  /**
   * Deletes what is overdue now, in statements so small that nobody notices, and yields after each of them how many rows
   * went. It waits for nobody: what is locked stays until the next time.
   */
  abstract sweep(): AsyncIterable<number>;
}
