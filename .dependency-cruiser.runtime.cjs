// The one rule about what can be reached while the service runs: imports that the compiler erases do not count.

const { options } = require('./.dependency-cruiser.cjs');

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'accept-is-blind',
      comment:
        'Nothing under accept can reach users, tokens, sending, statuses or any other stage but the outbox, directly or by ' +
        'way of others: the request path cannot leak what it does not know.',
      severity: 'error',
      from: { path: '^src/auth/accept/' },
      to: {
        // Messages: the types, and the hash of who asks; no rows and no lists.
        path: '^src/auth/(?!accept/|requests/|outbox/outbox\\.ts$|messages/(?:confirmation-type|asked-by)\\.ts$)[^/]+/',
        reachable: true,
      },
    },
  ],
  options: { ...options, tsPreCompilationDeps: false },
};
