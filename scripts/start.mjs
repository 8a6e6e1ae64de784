import { build, isStale } from './build.mjs';

if (isStale()) {
  console.log('Building, this once …');
  const code = build();
  if (code !== 0) process.exit(code);
}

// In this very process, so that Ctrl-C and SIGTERM reach the service without a parent that forwards signals.
const main = new URL('../dist/main.js', import.meta.url);
await import(main.href);
