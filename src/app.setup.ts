import { randomUUID } from 'node:crypto';
import cors, { type FastifyCorsOptions } from '@fastify/cors';
import type { FastifyInstance } from 'fastify';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { ApiErrorFilter } from './http/api-error.filter.js';
import { replayedHeader } from './auth/accept/idempotency/idempotency.guard.js';
import { rateLimitHeaderNames } from './rate-limit/quota.js';
import { trustProxyOption } from './http/client-ip.js';
import { Config } from './config/config.js';
import { Clock } from './platform/clock.js';
import { Log, NestLog } from './platform/log.js';
import { serveDocs } from './openapi/document.js';
import { Metrics } from './platform/metrics.js';
import {
  maxHeaderLines,
  maxHeaderSize,
  refuseAddress,
  refuseConnection,
  tooManyHeaders,
} from './http/refused-request.js';
import { warnOfForwarded } from './http/forwarded-warning.js';
import { logRequests } from './http/request-log.js';
import { bodyLimit, leaveBodiesUnread } from './http/request-body.js';

/**
 * What every answer says to a browser; a page brings a Content-Security-Policy of its own. After the OWASP HTTP Headers
 * cheat sheet. Fixed text, because computing it anew for each request costs as much as counting its limits.
 */
function securityHeaders({ production }: { production: boolean }): Readonly<Record<string, string>> {
  return Object.freeze({
    'content-security-policy':
      "default-src 'none'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    ...(production ? { 'strict-transport-security': 'max-age=31536000; includeSubDomains' } : {}),
  });
}

/** How long a client may take to send a whole request, head and body (Slowloris), before the connection is cut. */
const requestWithinMs = 15_000;

/** The HTTP server; `setUpApp` does the rest once the application is there. */
export function createAdapter(config: Config, requestTimeoutMs = requestWithinMs): FastifyAdapter {
  const headers = securityHeaders(config);
  return new FastifyAdapter({
    trustProxy: trustProxyOption(config.trustProxy),
    genReqId: () => randomUUID(),
    bodyLimit,
    requestTimeout: requestTimeoutMs,
    connectionTimeout: 2 * requestTimeoutMs,
    http: {
      maxHeaderSize,
      headersTimeout: requestTimeoutMs,
      // Node looks for slow requests twice a minute by itself, and lets them last that much longer.
      connectionsCheckingInterval: Math.min(1_000, Math.ceil(requestTimeoutMs / 4)),
    },
    clientErrorHandler: refuseConnection(headers),
    frameworkErrors: refuseAddress(headers),
    // Open keep-alive connections would otherwise hold a stopping process for as long as clients like.
    forceCloseConnections: 'idle',
  });
}

/** What the running service and every end-to-end test share. Call it before `init` or `listen`. */
export async function setUpApp(app: NestFastifyApplication): Promise<void> {
  const config = app.get(Config);
  const log = app.get(Log);
  app.useLogger(new NestLog(log));
  app.useGlobalFilters(new ApiErrorFilter(log));
  app.enableShutdownHooks();
  const fastify = app.getHttpAdapter().getInstance();
  leaveBodiesUnread(fastify);
  logRequests(fastify, log, app.get(Metrics), app.get(Clock));
  warnOfForwarded(fastify, log, config.trustProxy);
  const headers = securityHeaders(config);
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.headers(headers).header('x-request-id', request.id);
    // Node hides what is over a limit of its own, and goes on.
    done(request.raw.rawHeaders.length > 2 * maxHeaderLines ? tooManyHeaders() : undefined);
  });
  // Not by `app.enableCors`: that writes past Fastify, and then Node checks and stores every header of the answer anew.
  await app.register(cors, {
    origin: corsOrigin(config.corsOrigins),
    // OPTIONS without an origin is no CORS preflight: it is answered like any other request.
    strictPreflight: false,
    methods: 'GET, HEAD, POST, PUT',
    exposedHeaders: [...rateLimitHeaderNames, 'Retry-After', replayedHeader, 'X-Request-Id'].join(', '),
    maxAge: 600,
  });
  keepInboxFromOtherSites(fastify);
  serveDocs(app);
}

/** For an origin that is not listed there is no CORS at all: no header says anything, and its preflight is a 404. */
function corsOrigin(origins: readonly string[]): NonNullable<FastifyCorsOptions['origin']> {
  if (origins.includes('*')) return '*';
  const listed = new Set(origins);
  return (origin, answer) => {
    answer(null, origin !== undefined && listed.has(origin) ? origin : false);
  };
}

/** The inbox shows all codes: no other origin may read it, not even in development. */
function keepInboxFromOtherSites(fastify: FastifyInstance): void {
  fastify.addHook('onRoute', (route) => {
    if (!route.url.startsWith('/inbox')) return;
    route.onSend = (_request, reply, payload, done) => {
      reply.removeHeader('Access-Control-Allow-Origin');
      done(null, payload);
    };
  });
}
