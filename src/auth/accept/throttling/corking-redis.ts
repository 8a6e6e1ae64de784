import type { Socket } from 'node:net';
import { type Command, Redis } from 'ioredis';

/**
 * Writes the commands that come in one turn of the event loop to the socket together: under load, a system call for each
 * costs more than the command. ioredis's own pipelining would let only one batch be under way at a time.
 */
export class CorkingRedis extends Redis {
  private corked: Socket | undefined;

  override sendCommand(...parameters: [command: Command]): unknown {
    this.cork();
    return super.sendCommand(...parameters);
  }

  private cork(): void {
    // Undefined before the first connection; another one after each reconnection.
    const socket = this.stream as Socket | undefined;
    if (!socket || socket === this.corked) return;
    this.corked = socket;
    socket.cork();
    setImmediate(() => {
      this.corked = undefined;
      socket.uncork();
    });
  }
}
