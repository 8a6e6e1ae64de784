// The import rules. Every comment is a sentence of docs/architecture.md.
// This file judges imports as they are written, types included; what can be reached while the service runs is judged
// by .dependency-cruiser.runtime.cjs.

/** The rooms from the ground up: a room imports from those of floors below its own. Rooms of one floor are strangers. */
const floors = [
  ['config'],
  ['platform'],
  ['http', 'pages', 'database', 'housekeeping'],
  ['openapi', 'rate-limit'],
  ['auth/messages'],
  ['auth/requests', 'auth/users', 'auth/tokens', 'auth/sms-abuse'],
  ['auth/reports', 'auth/send'],
  ['auth/vendors', 'auth/outbox'],
  ['auth/accept', 'auth/verify', 'auth/stop'],
  ['auth/signup'],
  ['auth/[^/]+\\.ts$'],
  ['admin', 'inbox'],
  ['delivery', '[^/]+\\.ts$'],
];

/** @param {readonly string[]} rooms */
const pathOf = (rooms) => rooms.map((room) => (room.endsWith('$') ? `^src/${room}` : `^src/${room}/`));

/** One rule a room: nothing of the floors above, and nothing of its neighbours. */
const noArrowUpwards = floors.flatMap((rooms, floor) =>
  rooms.map((room) => ({
    name: `no-arrow-upwards-from-${room.replace(/[^a-z-]+/g, '-')}`,
    comment:
      'A room imports only from rooms below it, and never from its neighbours: the house can be read from the ground up.',
    severity: /** @type {const} */ ('error'),
    from: { path: pathOf([room]) },
    to: { path: pathOf([...floors.slice(floor + 1).flat(), ...rooms.filter((other) => other !== room)]) },
  })),
);

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    // The top floor is one: main.ts starts the delivery thread, which builds the worker's part of app.module.ts.
    ...noArrowUpwards.slice(0, -2),
    {
      name: 'only-the-worker-sends',
      comment: 'Only the outbox worker calls ResendService, so nothing is sent that is not in the outbox.',
      severity: 'error',
      from: {
        // The module constructs it; the specification of the wiring is not a call.
        pathNot: ['^src/auth/outbox/message-processor\\.ts$', '^src/auth/auth\\.module\\.ts$'],
      },
      to: { path: '^src/auth/send/resend\\.service\\.ts$' },
    },
    {
      name: 'a-vendor-stands-alone',
      comment:
        'A vendor imports the nouns of messages, what reports are made of, and what vendors of HTTP share, but no other ' +
        'vendor: it can be read, replaced or removed alone.',
      severity: 'error',
      from: { path: '^src/auth/vendors/([^/]+)/' },
      to: {
        path: '^src/auth/',
        pathNot: ['^src/auth/vendors/($1|http)/', '^src/auth/(messages|reports|requests)/'],
      },
    },
    {
      name: 'only-the-list-names-a-vendor',
      comment:
        'Only vendors.ts imports from the folder of a vendor, save for the mail that all need: delete the folder and its ' +
        'place in the list, and the vendor is gone.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/auth/vendors/' },
      to: { path: '^src/auth/vendors/(?!smtp/)[^/]+/' },
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
      name: 'no-arrow-to-the-parent-folder',
      comment: 'A folder imports nothing that lies loose in the folder around it, which may import from it.',
      severity: 'error',
      from: { path: '^src/(.+)/[^/]+/[^/]+$' },
      to: { path: '^src/$1/[^/]+$' },
    },
    {
      name: 'no-orphans',
      comment: 'Every file is used by the service, except threads, which are started by URL.',
      severity: 'error',
      from: { path: '^src/(main|delivery/thread)\\.ts$' },
      to: {
        path: '^src/',
        // What is started or sent: the service, threads by URL, scripts of the pages.
        pathNot: ['\\.(mjs|browser\\.js)$', '^src/(main|delivery/thread)\\.ts$'],
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
