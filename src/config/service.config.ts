import pg from 'pg';
import { isStrict, isThisMachine, plaintextConnections } from './plaintext.js';
import { count, duration, flag, limit, limitInWindows, oneOf, someOf, text, url } from './readers.js';
import { Section, variable } from './section.js';

const days = 24 * 60 * 60_000;

export const service = new Section(
  'The process',
  {
    production: variable(
      'NODE_ENV',
      (mode) => oneOf('development', 'test', 'production')(mode) === 'production',
      {
        default: 'development',
        about:
          '`development`, `test` or `production`. Production has no inbox, and what it requires is said below.',
      },
    ),
    allowPublicDevelopment: variable('ALLOW_PUBLIC_DEVELOPMENT', flag, {
      default: 'false',
      about:
        '`true`: outside production `HOST` and `PUBLIC_URL` may be for other machines. The inbox and `/metrics` without a key stay for this machine alone.',
    }),
    allowPlaintext: variable('ALLOW_PLAINTEXT', someOf(...plaintextConnections), {
      about:
        'What production may do without TLS although it goes to another machine, separated by commas: `postgres`, `redis`, `smtp`, `gateway` (`SMS_WEBHOOK_URL`), `http` (`PUBLIC_URL`, `SITE_URL`, `REDIRECT_ALLOW_LIST`). Without it none of them: see [TLS](operating.md#tls).',
    }),
    role: variable('ROLE', oneOf('all', 'api', 'worker'), {
      default: 'all',
      about:
        '`api` answers requests, `worker` delivers, any number of each, and both need `DATABASE_URL` and `SMTP_URL`; `all` does both, on two threads.',
    }),
    host: variable('HOST', text, {
      default: 'localhost',
      inProduction: '0.0.0.0',
      about: 'The address to listen on.',
    }),
    port: variable('PORT', count(0, 65_535), {
      default: '8080',
      about: 'The port to listen on; 0 takes any that is free.',
    }),
    logLevel: variable('LOG_LEVEL', oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'), {
      default: 'info',
      about: '`trace`, `debug`, `info`, `warn`, `error`, `fatal` or `silent`: JSON lines on standard output.',
    }),
    dataDir: variable('DATA_DIR', text, {
      default: './data',
      about: 'The folder of the embedded database and of the keys that development makes for itself.',
    }),
    retentionMs: variable('RETENTION', duration, {
      default: '30d',
      about: 'How long a message that has ended is kept, with its attempts and events; at least 24h.',
    }),
  },
  {
    check: ({ retentionMs = days }) => [
      retentionMs < days && 'RETENTION must be at least 24h: idempotency keys refer to messages for so long',
    ],
  },
);

/** What the driver makes of a URL, which may have a host and switches for TLS in its query, too. */
function asDriverHas(address: string): pg.Client {
  return new pg.Client({ connectionString: address });
}

function postgresUrl(given: string): string {
  const address = url('postgres', 'postgresql')(given);
  try {
    asDriverHas(address);
  } catch {
    throw new Error('names a file for TLS that cannot be read (sslrootcert, sslcert or sslkey)');
  }
  return address;
}

function isPlainPostgres(address: string | undefined): boolean {
  if (address === undefined) return false;
  const { host, ssl } = asDriverHas(address);
  // A path is a socket of this machine.
  return !ssl && !isThisMachine(host) && !host.startsWith('/');
}

function isPlainRedis(address: string | undefined): boolean {
  return /^redis(-cluster)?:/i.test(address ?? '') && !isThisMachine(new URL(address ?? '').hostname);
}

export const stores = new Section(
  'Stores',
  {
    databaseUrl: variable('DATABASE_URL', postgresUrl, {
      secret: true,
      about:
        'PostgreSQL 15 or newer, such as `postgres://user@host:5432/database`; without it the embedded database, for one process.',
    }),
    databasePoolSize: variable('DATABASE_POOL_SIZE', count(2, 200), {
      default: '10',
      about:
        'Connections to PostgreSQL of one process, 2 to 200; with `ROLE=all`, of each of its two threads.',
    }),
    redisUrl: variable('REDIS_URL', url('redis', 'rediss', 'redis-cluster', 'rediss-cluster'), {
      secret: true,
      about:
        'Redis, such as `redis://host:6379`, for limits that all instances share; `redis-cluster://host:6379` is any node of a Redis Cluster. `rediss` and `rediss-cluster` are the same over TLS.',
    }),
    throttleStore: variable('THROTTLE_STORE', oneOf('memory', 'redis'), {
      about:
        '`memory` or `redis`; without it what `REDIS_URL` suggests. `memory` says that there is one instance, which `DATABASE_URL` without `REDIS_URL` needs to hear.',
    }),
  },
  {
    check(own, valuesOf) {
      const process = valuesOf(service);
      const { role = 'all' } = process;
      return [
        isStrict(process, 'postgres') &&
          isPlainPostgres(own.databaseUrl) &&
          'DATABASE_URL leads to another machine without TLS: the password and whatever is stored would travel in plain text. ' +
            'Add ?sslmode=verify-full to it, or set ALLOW_PLAINTEXT=postgres where the network between is yours alone',
        isStrict(process, 'redis') &&
          own.throttleStore !== 'memory' &&
          isPlainRedis(own.redisUrl) &&
          'REDIS_URL leads to another machine without TLS: its password would travel in plain text. Begin it with rediss:// ' +
            '(rediss-cluster://), or set ALLOW_PLAINTEXT=redis where the network between is yours alone',
        own.throttleStore === 'redis' && !own.redisUrl && 'THROTTLE_STORE=redis needs REDIS_URL',
        own.databaseUrl !== undefined &&
          !own.redisUrl &&
          own.throttleStore !== 'memory' &&
          'DATABASE_URL without REDIS_URL: several instances would each grant the whole limit. ' +
            'Set REDIS_URL, or THROTTLE_STORE=memory when there is only one instance',
        role !== 'all' &&
          !own.databaseUrl &&
          `ROLE=${role} needs DATABASE_URL: the embedded database serves one process only`,
      ];
    },
  },
);

export const limits = new Section('Limits', {
  email: variable('LIMIT_EMAIL', limit, {
    default: '3/5m',
    about:
      'Messages of one type for one email address, whichever route asks; for `/signup` and for an account at `PUT /user` as many.',
  }),
  sms: variable('LIMIT_SMS', limit, {
    default: '2/5m',
    about: 'The same for one phone number.',
  }),
  ip: variable('LIMIT_IP', limit, {
    default: '10/10m',
    about:
      'Requests of one IP address (IPv6: of one /64) on all of these routes together, and as many for challenges of ALTCHA.',
  }),
  backend: variable('LIMIT_BACKEND', limit, {
    default: '600/10m',
    about:
      'Requests of a server of your own that sends `X-Backend-Key` without `X-Client-IP`, for each of `BACKEND_KEYS`.',
  }),
  verify: variable('LIMIT_VERIFY', limit, {
    default: '5/10m',
    about:
      'Wrong codes for one address or number and purpose, of those who neither name a message nor asked for one. A client has six times as many over all addresses (IPv6: the /48 around it thirty times).',
  }),
  recipient: variable('LIMIT_RECIPIENT', limitInWindows, {
    default: '6/5m,30/24h',
    about:
      'Messages that leave for one mailbox or telephone, of all types and however it is spelt; every window must have room. More are dropped, but for the first of a type in an hour; of one type at most a third of what the longest window admits leave in 6 hours (10). No answer shows it.',
  }),
  delivery: variable('LIMIT_DELIVERY', limit, {
    about:
      'Messages that leave the whole service, such as `600/1m`: what the provider allows. More are delayed, not refused. Without it: no limit.',
  }),
});

export const lifetimes = new Section('Links, codes and access tokens', {
  verifyOnGet: variable('VERIFY_ON_GET', flag, {
    default: 'false',
    about:
      '`true`: opening a link confirms at once. `false`: it shows a page with a button, which no mail scanner presses.',
  }),
  signupMs: variable('LIFETIME_SIGNUP', duration, {
    default: '24h',
    about:
      'How long link and code of a sign-up or a change of address work. A code by SMS works for 10 minutes.',
  }),
  recoveryMs: variable('LIFETIME_RECOVERY', duration, {
    default: '1h',
    about: 'How long link and code of a recovery or a magic link work.',
  }),
  accessTokenMs: variable('ACCESS_TOKEN_LIFETIME', duration, {
    default: '1h',
    about: 'How long an access token works, the JWT after a verification.',
  }),
  retryMaxAgeMs: variable('RETRY_MAX_AGE', duration, {
    default: '1h',
    about:
      'How long a message that cannot be delivered is tried again; an SMS no longer than its code works.',
  }),
});
