import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OpenAPIObject } from '@nestjs/swagger';
import { errorCodes } from '../src/http/api-error.js';
import { Outbox } from '../src/auth/outbox/outbox.js';
import { confirmationTypes } from '../src/auth/messages/confirmation-type.js';
import { errorBodies } from './support/error-bodies.js';
import { OpenApiValidation } from './support/openapi-validation.js';
import { type RunningApp, startApp } from './support/start-app.js';

interface MediaType {
  schema: unknown;
  example?: unknown;
  examples?: Record<string, { summary?: string; value: unknown }>;
}
interface Operation {
  operationId: string;
  summary?: string;
  description?: string;
  tags: string[];
  security?: unknown;
  requestBody?: { content: Record<string, MediaType> };
  responses: Record<string, { headers?: Record<string, unknown>; content?: Record<string, MediaType> }>;
}
type ErrorBody = Record<'code' | 'error_code' | 'msg' | 'details', unknown> & { retry_after?: number };

const file = join(import.meta.dirname, '../openapi.json');
const document = JSON.parse(readFileSync(file, 'utf8')) as OpenAPIObject;
const validation = new OpenApiValidation(document);
const paths = document.paths as Record<string, Record<string, Operation>>;
const operations = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);
const named = operations.map((each) => [`${each.method.toUpperCase()} ${each.path}`, each] as const);

const operationOf = (method: string, path: string): Operation => {
  const operation = paths[path]?.[method];
  if (!operation) throw new Error(`${method} ${path} is not documented`);
  return operation;
};

/** All examples in a media type, by name. */
const examplesIn = ({ example, examples = {} }: MediaType) => [
  ...(example === undefined ? [] : [['example', example] as const]),
  ...Object.entries(examples).map(([name, { value }]) => [name, value] as const),
];

const env = {
  LIMIT_IP: '1000/10m',
  LIMIT_EMAIL: '100/5m',
  LIMIT_SMS: '100/5m',
  REDIRECT_ALLOW_LIST: 'https://yourapp.com',
};

describe('openapi.json', () => {
  it('documents every endpoint', () => {
    expect(named.map(([name]) => name).sort()).toEqual([
      'DELETE /admin/suppressions/{id}',
      'GET /.well-known/jwks.json',
      'GET /admin/messages',
      'GET /admin/messages/{id}',
      'GET /admin/stats',
      'GET /admin/suppressions',
      'GET /captcha/challenge',
      'GET /health/live',
      'GET /health/ready',
      'GET /inbox',
      'GET /inbox/messages',
      'GET /metrics',
      'GET /stop',
      'GET /verify',
      'HEAD /verify',
      'POST /admin/messages/replay',
      'POST /admin/messages/{id}/cancel',
      'POST /admin/messages/{id}/retry',
      'POST /admin/suppressions',
      'POST /admin/suppressions/lift',
      'POST /events/dsn',
      'POST /events/postmark',
      'POST /events/sendgrid',
      'POST /events/ses',
      'POST /events/twilio',
      'POST /events/twilio/inbound',
      'POST /events/vonage',
      'POST /events/vonage/inbound',
      'POST /events/webhook',
      'POST /resend',
      'POST /signup',
      'POST /stop',
      'POST /verify',
      'PUT /user',
    ]);
  });

  it.each(named)('says what %s is for, under a name and a group of its own', (_name, { operation }) => {
    expect(operation.summary).toMatch(/\w/);
    expect(operation.description).toMatch(/\w/);
    expect(operation.operationId).toMatch(/^[a-z][A-Za-z]+$/);
    expect(operations.filter((other) => other.operation.operationId === operation.operationId)).toHaveLength(
      1,
    );
    const groups = (document.tags ?? []).map(({ name }) => name);
    expect(operation.tags).toHaveLength(1);
    expect(groups).toContain(operation.tags[0]);
  });

  it.each(named)('gives examples for %s that are what their schemas ask for', (_name, each) => {
    const { path, method, operation } = each;
    const inRequest = Object.entries(operation.requestBody?.content ?? {}).flatMap(([type, media]) =>
      examplesIn(media).map(([name, value]) => {
        const pointer = ['paths', path, method, 'requestBody', 'content', type, 'schema'];
        return validation.inValue(value, pointer, name);
      }),
    );
    const inResponses = Object.entries(operation.responses).flatMap(([status, { content = {} }]) =>
      Object.entries(content).flatMap(([type, media]) => {
        const examples = examplesIn(media);
        // A page says nothing that an example could show.
        if (type !== 'text/html') expect(examples).not.toEqual([]);
        const pointer = ['paths', path, method, 'responses', status, 'content', type, 'schema'];
        return examples.map(([name, value]) => validation.inValue(value, pointer, name));
      }),
    );
    expect([...inRequest, ...inResponses].flat()).toEqual([]);
  });

  it('gives an example of every header that is one', () => {
    for (const [name, header] of Object.entries(document.components?.headers ?? {})) {
      const { example } = header as { example?: unknown };
      if (example !== undefined) {
        expect(validation.inValue(example, ['components', 'headers', name, 'schema'], name)).toEqual([]);
      }
    }
  });

  it('asks for an access token where an address is changed, for the service key where operators are, and nowhere else', () => {
    const securityOf = (path: string) => {
      if (path === '/user') return [{ bearer: [] }];
      return path.startsWith('/admin/') || path === '/metrics' ? [{ 'service-key': [] }] : undefined;
    };
    for (const { path, operation } of operations) {
      expect([path, operation.security]).toEqual([path, securityOf(path)]);
    }
  });

  it('says that operators are refused without the key, and after too many wrong ones', () => {
    const forOperators = operations.filter(({ operation }) => operation.security !== undefined);
    for (const { path, operation } of forOperators.filter((each) => each.path !== '/user')) {
      expect([path, Object.keys(operation.responses)]).toEqual([
        path,
        expect.arrayContaining(['401', '429', '500']) as string[],
      ]);
    }
  });

  it('closes the list of error codes', () => {
    expect(document.components?.schemas?.['ErrorCode']).toMatchObject({ enum: errorCodes });
  });

  it('has an example of every type of confirmation', () => {
    const examples = Object.values(
      operationOf('post', '/resend').requestBody?.content['application/json']?.examples ?? {},
    );
    const types = examples.map(({ value }) => (value as { type: string }).type);
    expect(new Set(types)).toEqual(new Set(confirmationTypes));
  });

  const text = expect.any(String) as string;
  const wait = expect.stringMatching(/^Try again in \d+ seconds$/) as string;
  const seconds = expect.any(Number) as number;
  it.each<[name: string, body: ErrorBody]>([
    ['missing_type', errorBodies.typeMissing],
    ['missing_email', errorBodies.emailMissing],
    ['missing_phone', errorBodies.phoneMissing],
    ['invalid_field', errorBodies.invalidField(text)],
    ['redirect_not_allowed', errorBodies.invalidField(expect.stringContaining('allow list'))],
    ['malformed_json', errorBodies.badJson],
    [
      'captcha_failed',
      { code: 400, error_code: 'captcha_failed', msg: 'Captcha verification failed', details: text },
    ],
    ['body_too_large', errorBodies.tooLarge],
    ['unsupported_media_type', errorBodies.unsupportedMediaType],
    ...(['request', 'email_send', 'sms_send'] as const).map((limit): [string, ErrorBody] => [
      `over_${limit}_rate_limit`,
      {
        code: 429,
        error_code: `over_${limit}_rate_limit`,
        msg: 'Too many requests',
        details: wait,
        retry_after: seconds,
      },
    ]),
    ['unexpected', errorBodies.unexpected],
    ['unavailable', errorBodies.unavailable],
    [
      'captcha_unavailable',
      { code: 503, error_code: 'captcha_unavailable', msg: text, details: text, retry_after: seconds },
    ],
  ])('shows the error %s of POST /resend in both forms', (name, body) => {
    const { content = {} } = operationOf('post', '/resend').responses[String(body.code)] ?? {};
    expect(content['application/json']?.examples?.[name]?.value).toEqual(body);
    expect(content['application/problem+json']?.examples?.[name]?.value).toEqual({
      ...body,
      type: `urn:strike-auth:error:${String(body.error_code)}`,
      title: text,
      status: body.code,
      detail: body.details,
    });
  });

  it.each(['/resend', '/signup', '/user', '/captcha/challenge'])(
    'promises the limits with every answer of %s',
    (path) => {
      const [operation] = Object.values(paths[path] ?? {});
      for (const [status, { headers = {} }] of Object.entries(operation?.responses ?? {})) {
        expect(Object.keys(headers)).toEqual(
          expect.arrayContaining(['X-Request-Id', 'X-RateLimit-Limit', 'RateLimit-Policy', 'RateLimit']),
        );
        if (status === '429' || status === '503') expect(Object.keys(headers)).toContain('Retry-After');
      }
    },
  );
});

describe('the documented service', () => {
  let running: RunningApp;

  beforeAll(async () => {
    running = await startApp({ env });
  });
  afterAll(() => running.stop());

  it('serves the document that is checked in', async () => {
    const { body } = await running.http.get('/openapi.json').expect(200);
    expect(body).toEqual(document);
  });

  it.each(['/resend', '/signup'])('accepts every example of POST %s', async (path) => {
    const { examples = {} } = operationOf('post', path).requestBody?.content['application/json'] ?? {};
    for (const { value } of Object.values(examples)) {
      await running.http
        .post(path)
        .send(value as object)
        .expect(200);
    }
  });

  it.each([
    '/health/live',
    '/health/ready',
    '/metrics',
    '/.well-known/jwks.json',
    '/inbox',
    '/inbox/messages',
  ])('answers GET %s as documented', async (path) => {
    await running.http.get(path).expect(200);
    await running.http.head(path).expect(200);
  });

  it('lets nothing but Swagger UI have inline styles, and nothing have inline scripts', async () => {
    const docs = await running.http.get('/docs').expect(200);
    expect(docs.headers['content-security-policy']).toContain("script-src 'self';");
    expect(docs.headers['content-security-policy']).toContain("style-src 'self' 'unsafe-inline'");
    const answer = await running.http.get('/health/live').expect(200);
    const directives = answer.headers['content-security-policy']?.split(/; ?/);
    expect(directives?.sort()).toEqual([
      "base-uri 'none'",
      "default-src 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ]);
  });
});

it('stops with an error when an answer was not as documented', async () => {
  const running = await startApp({ env });
  const drift = jest.spyOn(running.app.get(Outbox), 'accept').mockResolvedValue({ message_id: 'msg_1' });
  await running.http
    .post('/resend')
    .send({ type: 'sms', phone: '+1234567890' })
    .expect(200, { message_id: 'msg_1' });
  drift.mockRestore();
  await expect(running.stop()).rejects.toThrow(/POST \/resend 200: the body\/message_id must match pattern/);
});
