import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { eventually } from './eventually.js';
import { freePort } from './free-port.js';

const entry = resolve(__dirname, '../../dist/main.js');

export interface ServiceProcess {
  readonly url: string;
  readonly child: ChildProcess;
  /** Everything that the process has written so far. */
  output(): string;
  post(path: string, body: object): Promise<{ status: number; body: Record<string, unknown> }>;
  /** Sends the signal and waits for the end; returns the exit code, or the signal's name. */
  kill(signal: NodeJS.Signals): Promise<number | string | null>;
}

/**
 * The built service as a process of its own, ready. Only what `env` names is set beside the system's own variables.
 * @param shell runs before it, in the same process
 */
export async function startService(env: Record<string, string>, shell = ':'): Promise<ServiceProcess> {
  if (!existsSync(entry)) throw new Error(`${entry} is missing: npm run build`);
  const port = env['PORT'] ?? String(await freePort());
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn('sh', ['-c', `${shell}; exec "$0" "$@"`, process.execPath, entry], {
    env: { PATH, HOME, ...env, PORT: port },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const killWithTests = () => child.kill('SIGKILL');
  process.once('exit', killWithTests);
  child.once('exit', () => process.off('exit', killWithTests));
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const url = `http://127.0.0.1:${port}`;
  const ended = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | string | null);
  await eventually(
    () => `a ready service; it said:\n${output}`,
    async () => {
      if (child.exitCode !== null) throw new Error(`The service ended at start:\n${output}`);
      // Another process may have been given the port meanwhile and never answer.
      const answer = fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(5_000) });
      return (await answer.catch(() => null))?.ok;
    },
    90_000,
  );
  return {
    url,
    child,
    output: () => output,
    post: (path, body) => post(url + path, body),
    async kill(signal) {
      child.kill(signal);
      return ended;
    },
  };
}

async function post(url: string, body: object) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
