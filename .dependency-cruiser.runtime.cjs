// The one rule about what can be reached while the service runs: imports that the compiler erases do not count.

const { options } = require('./.dependency-cruiser.cjs');

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'accept-is-blind',
      comment:
        'Nothing under accept can reach users, tokens, sending or statuses, directly or by way of others: ' +
        'the request path cannot leak what it does not know.',
      severity: 'error',
      from: { path: '^src/auth/accept/' },
      to: { path: '^src/auth/(users|tokens|send|status|verify)/', reachable: true },
    },
  ],
  options: { ...options, tsPreCompilationDeps: false },
};
