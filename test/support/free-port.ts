import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the ports that systems give to connections that go out (32768 and up on Linux, 49152 elsewhere). */
const [lowest, highest] = [10_000, 30_000];

/**
 * A port on which nothing listens just now. No connection of another test can be given it meanwhile, so that what is
 * stopped there can be started there again.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    const server = createServer().listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') continue;
      throw error;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}
