import { spawn } from 'node:child_process';

// Everything that a change must pass, here and in CI. All steps run, so that one look shows all that is to be mended.

/** They only read, so they run two at a time; the longest first. */
const reading = [
  'lint',
  'types',
  'format:check',
  'imports',
  'openapi:check',
  'configuration:check',
  'dead-code',
];

/** @type {string[]} */
const failed = [];

/**
 * @param {string} step
 * @param {'inherit' | 'pipe'} output piped, it is printed in one piece when the step has ended
 */
async function run(step, output) {
  if (output === 'inherit') console.log(`\n── npm run ${step}`);
  const began = performance.now();
  const child = spawn('npm', ['run', '--silent', step], {
    stdio: ['ignore', output, output],
    shell: process.platform === 'win32',
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (/** @type {Buffer} */ chunk) => (said += chunk.toString()));
  /** @type {boolean} */
  const passed = await new Promise((done) => {
    child.once('close', (status) => done(status === 0)).once('error', () => done(false));
  });
  if (!passed) failed.push(step);
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  console.log(`${said && `\n${said}`}── ${step} ${passed ? 'passed' : 'FAILED'} after ${seconds} s`);
}

/** @param {string[]} waiting */
async function runOneByOne(waiting) {
  for (let step = waiting.shift(); step; step = waiting.shift()) await run(step, 'pipe');
}

const waiting = [...reading];
await Promise.all([runOneByOne(waiting), runOneByOne(waiting)]);
await run('test:all', 'inherit');
if (failed.length > 0) {
  console.error(`\nFailed: ${failed.join(', ')}`);
  process.exitCode = 1;
}
