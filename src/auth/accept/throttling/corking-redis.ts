import type { Socket } from 'node:net';
import { type Command, Redis } from 'ioredis';

/** Commands that are written together at most: Redis decides about them while the next ones are still being made. */
const most = 16;

/**
 * Writes the commands that come in one turn of the event loop to the socket together: under load, a system call for each
 * costs more than the command. ioredis's own pipelining would let only one batch be under way at a time.
 */
export class CorkingRedis extends Redis {
  private corked: Socket | undefined;
  private held = 0;
  private scheduled = false;

  override sendCommand(...parameters: [command: Command]): unknown {
    this.cork();
    const answer = super.sendCommand(...parameters);
    this.held += 1;
    if (this.held === most) this.uncork();
    return answer;
  }

  private cork(): void {
    // Undefined before the first connection; another one after each reconnection.
    const socket = this.stream as Socket | undefined;
    if (!socket || socket === this.corked) return;
    this.uncork();
    this.corked = socket;
    this.held = 0;
    socket.cork();
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.uncork();
    });
  }

  private uncork(): void {
    this.corked?.uncork();
    this.corked = undefined;
  }
}
