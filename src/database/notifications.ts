export type Unsubscribe = () => Promise<void>;

/**
 * A nudge from whoever wrote something to whoever works on it, across all instances. It carries nothing and may be
 * lost or merged with another: who listens looks into the tables, and looks there once in a while without it.
 */
export abstract class Notifications {
  /** Returns at once and never throws. Calls in quick succession become one or two notifications. */
  abstract publish(channel: string): void;

  /**
   * Calls `onNotification` after each publication, and once after every reconnection, since something may have been
   * missed meanwhile. Resolves when it listens.
   *
   * @param channel lower-case letters, digits and underscores
   */
  abstract subscribe(channel: string, onNotification: () => void): Promise<Unsubscribe>;
}
