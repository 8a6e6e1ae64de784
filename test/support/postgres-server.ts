import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.js';
import { services } from './services.js';

const programs = services.postgresPrograms;

/** `describe` for tests that start a PostgreSQL of their own. */
export const describeWithPostgresServer = programs ? describe : describe.skip;

/** A real PostgreSQL, empty, that the test may stop and start. */
export class PostgresServer {
  private constructor(
    private readonly folder: string,
    readonly port: number,
  ) {}

  static async create(): Promise<PostgresServer> {
    const folder = mkdtempSync(join(tmpdir(), `strike_auth_test-${Date.now()}-`));
    chmodSync(folder, 0o700);
    // PostgreSQL refuses to run as root.
    if (isRoot()) chownSync(folder, idOfPostgres('-u'), idOfPostgres('-g'));
    const server = new PostgresServer(folder, await freePort());
    server.run(
      'initdb',
      '-D',
      server.data,
      '-U',
      'postgres',
      '-A',
      'trust',
      '-E',
      'UTF8',
      '--locale',
      'C.UTF-8',
    );
    server.start();
    return server;
  }

  get url(): string {
    return `postgres://postgres@127.0.0.1:${this.port}/postgres`;
  }

  /** Resolves when it takes connections. */
  start(): void {
    const options = [
      `listen_addresses=127.0.0.1`,
      `port=${this.port}`,
      `unix_socket_directories=${this.folder}`,
    ];
    this.run(
      'pg_ctl',
      '-D',
      this.data,
      '-l',
      this.log,
      '-w',
      '-t',
      '120',
      '-o',
      options.map((option) => `-c ${option}`).join(' '),
      'start',
    );
  }

  /** `fast`: what is under way is rolled back. `immediate`: as if it had crashed. */
  stop(mode: 'fast' | 'immediate'): void {
    this.run('pg_ctl', '-D', this.data, '-m', mode, '-w', 'stop');
  }

  remove(): void {
    try {
      this.stop('immediate');
    } catch {
      // It was stopped already.
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  private get data(): string {
    return join(this.folder, 'data');
  }

  private get log(): string {
    return join(this.folder, 'log');
  }

  private run(program: string, ...args: string[]): void {
    if (!programs) throw new Error(`There is no ${program}`);
    const command = [join(programs, program), ...args];
    const [file = '', ...rest] = isRoot() ? ['runuser', '-u', 'postgres', '--', ...command] : command;
    // The server that pg_ctl leaves behind must not hold a pipe of ours open.
    const { status, error } = spawnSync(file, rest, { stdio: 'ignore', cwd: this.folder });
    if (status === 0) return;
    throw new Error(`${program} ended with ${status ?? String(error)}\n${readLog(this.log)}`);
  }
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function idOfPostgres(flag: '-u' | '-g'): number {
  return Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout);
}

function readLog(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}
