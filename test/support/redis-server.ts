import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { eventually } from './eventually.js';
import { freePort } from './free-port.js';
import { services } from './services.js';

/** `describe` for tests that start a Redis of their own. */
export const describeWithRedis = services.redisServer ? describe : describe.skip;

/** A real Redis that the test may kill, restart and freeze. It keeps nothing: a restart is a new, empty server. */
export class RedisServer {
  private readonly folder = mkdtempSync(join(tmpdir(), 'strike-auth-redis-'));
  private process: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    private readonly options: readonly string[],
    readonly busPort?: number,
  ) {}

  static async start(...options: string[]): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), options);
    await server.restart();
    return server;
  }

  /** A node of a Redis Cluster that has no slots yet, and its port for the other nodes. */
  static async startNode(): Promise<RedisServer> {
    // The usual bus port is ten thousand higher, which not every free port leaves room for.
    const busPort = await freePort();
    const server = new RedisServer(
      await freePort(),
      ['--cluster-enabled', 'yes', '--cluster-port', String(busPort), '--cluster-node-timeout', '2000'],
      busPort,
    );
    await server.restart();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Resolves when the server answers. */
  async restart(): Promise<void> {
    const fixed = ['--port', String(this.port), '--bind', '127.0.0.1', '--save', '', '--dir', this.folder];
    this.process = spawn('redis-server', [...fixed, ...this.options], { stdio: 'ignore' });
    await eventually('an answer of redis-server', () => answers(this.url));
  }

  async kill(): Promise<void> {
    if (!this.process || this.process.exitCode !== null || this.process.signalCode !== null) return;
    const gone = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await gone;
  }

  /** The connection stays open, but nothing is answered any more. */
  freeze(): void {
    this.process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.process?.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function answers(url: string): Promise<boolean> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, disconnectTimeout: 10 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.ping();
    return true;
  } catch {
    return false;
  } finally {
    client.disconnect();
  }
}
