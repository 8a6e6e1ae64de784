import { once } from 'node:events';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { DataSource } from 'typeorm';
import type pg from 'pg';
import type { RunningApp } from './start-app.js';

/** One answer with all that differs from answer to answer, whoever is asked about, taken out. */
export interface BareAnswer {
  readonly status: number;
  /** In the order in which they came over the wire. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

interface Asked {
  readonly method?: 'POST' | 'PUT';
  readonly path: string;
  readonly body: Record<string, unknown>;
  /** Each subject is asked for by a client of its own, so that all find the same quota. */
  readonly client: string;
  readonly headers?: Record<string, string>;
}

const ids = /[0-9a-f]{32}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/g;

/** Asks, and leaves out of the answer ids, the date, and the address that the client has named itself. */
export async function ask(
  { url }: Pick<RunningApp, 'url'>,
  { method = 'POST', path, body, client, headers = {} }: Asked,
): Promise<BareAnswer> {
  const request = httpRequest(url + path, {
    method,
    headers: { 'Content-Type': 'application/json', 'X-Forwarded-For': client, ...headers },
  });
  request.end(JSON.stringify(body));
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const address = String(body['email'] ?? body['phone']);
  const raw = await text(response);
  return {
    status: response.statusCode ?? 0,
    headers: headersOf(response),
    body: raw.replaceAll(address, 'ADDRESS').replace(ids, 'ID'),
  };
}

function headersOf({ rawHeaders }: IncomingMessage): [string, string][] {
  const pairs: [string, string][] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    const differs = ['date', 'x-request-id'].includes(name.toLowerCase());
    pairs.push([name, differs ? '(differs)' : (rawHeaders[at + 1] ?? '')]);
  }
  return pairs;
}

/**
 * The statements that the application sends to its database from now on, on whichever connection. Left out is the nudge to
 * the workers: it follows the answer, and one stands for all in quick succession.
 */
export function recordStatements({ app }: Pick<RunningApp, 'app'>): { taken(): string[] } {
  const statements: string[] = [];
  const { master } = app.get(DataSource).driver as unknown as { master: pg.Pool };
  const record = (client: pg.PoolClient) => {
    const query = client.query.bind(client) as (...parts: unknown[]) => unknown;
    client.query = ((...parts: unknown[]) => {
      const [first] = parts as [string | { text: string }];
      const sql = typeof first === 'string' ? first : first.text;
      if (sql !== `SELECT pg_notify($1, '')`) statements.push(sql);
      return query(...parts);
    }) as typeof client.query;
  };
  const known = new WeakSet<pg.PoolClient>();
  master.on('acquire', (client) => {
    if (!known.has(client)) record(client);
    known.add(client);
  });
  return { taken: () => statements.splice(0) };
}
