import { spawnSync } from 'node:child_process';

// Everything that a change must pass, here and in CI. All steps run, so that one look shows all that is to be mended.

const steps = ['format:check', 'lint', 'types', 'imports', 'dead-code', 'openapi:check', 'test:all'];

/** @param {string} step */
function passes(step) {
  console.log(`\n── npm run ${step}`);
  const began = performance.now();
  const { status } = spawnSync('npm', ['run', '--silent', step], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  console.log(
    `── ${step} ${status === 0 ? 'passed' : 'FAILED'} after ${((performance.now() - began) / 1000).toFixed(0)} s`,
  );
  return status === 0;
}

const failed = steps.filter((step) => !passes(step));
if (failed.length > 0) {
  console.error(`\nFailed: ${failed.join(', ')}`);
  process.exitCode = 1;
}
