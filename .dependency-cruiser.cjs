// The import rules. Every comment is a sentence of docs/architecture.md.
// This file judges imports as they are written, types included; what can be reached while the service runs is judged
// by .dependency-cruiser.runtime.cjs.

const stages = '^src/auth/(?!users/|tokens/)[^/]+/';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'only-the-worker-sends',
      comment: 'Only the outbox worker calls ResendService, so nothing is sent that is not in the outbox.',
      severity: 'error',
      from: {
        // The module constructs it; the specification of the wiring is not a call.
        pathNot: ['^src/auth/outbox/outbox\\.worker\\.ts$', '^src/auth/(send/)?[^/]+\\.module\\.ts$'],
      },
      to: { path: '^src/auth/send/resend\\.service\\.ts$' },
    },
    {
      name: 'providers-are-leaves',
      comment:
        'A provider imports its port, the configuration, the clock, the reader of answers, what status codes of mail mean and libraries, ' +
        'and nothing else of ours: ' +
        'one vendor can be read, replaced or removed alone.',
      severity: 'error',
      from: { path: '^src/auth/send/providers/' },
      to: {
        path: '^(src|test|bench|scripts)/',
        pathNot: [
          '^src/auth/send/providers/',
          '^src/auth/send/notification-provider\\.ts$',
          '^src/(config|clock|bounded-body|auth/enhanced-status)\\.ts$',
        ],
      },
    },
    {
      name: 'users-import-no-stage',
      comment: 'Users know no stage of a message, so that another user store can take their place.',
      severity: 'error',
      from: { path: '^src/auth/users/' },
      to: { path: [stages, '^src/auth/tokens/'] },
    },
    {
      name: 'tokens-import-no-stage',
      comment: 'Tokens know no stage of a message: they are minted and redeemed, whoever asks.',
      severity: 'error',
      from: { path: '^src/auth/tokens/' },
      to: { path: stages },
    },
    {
      name: 'operators-look-on',
      comment: "Nothing of a message's way imports admin: operators look on from outside.",
      severity: 'error',
      from: { path: '^src/auth/' },
      to: { path: '^src/admin/' },
    },
    {
      name: 'src-never-imports-tests',
      comment: 'What is shipped never imports what tests, measures or builds it.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|proof|scripts|lint)/' },
    },
    {
      name: 'src-imports-what-is-shipped',
      comment:
        'What is shipped imports production dependencies only; development dependencies are not there.',
      severity: 'error',
      from: { path: '^(src/|ormconfig)' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'no-unresolvable',
      comment: 'Every import leads to a file or a package.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-cycles',
      comment: 'No file imports itself by way of others, types included: the files can be read in one order.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      comment: 'Every file is used by the service, except threads, which are started by URL.',
      severity: 'error',
      from: { path: '^src/(main|delivery/thread)\\.ts$' },
      to: {
        path: '^src/',
        pathNot: ['\\.mjs$', '^src/(main|delivery/thread)\\.ts$'], // what is started: the service, and threads by URL
        reachable: false,
      },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['node', 'import', 'require', 'default'],
      mainFields: ['main'],
    },
  },
};
