import { readFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { headerComponents, refToHeader, serviceKeyScheme } from './components.js';
import { apiDescription, tags } from './description.js';

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** The version of the package, whether it runs from `src` or from `dist`. */
const version = manifest.version;

type PathItem = OpenAPIObject['paths'][string];
type Operation = NonNullable<PathItem['get']>;
type Schemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;

/**
 * The OpenAPI document of the application, as `/openapi.json` serves it. OpenAPI 3.1, because its schemas are JSON
 * Schema (draft 2020-12) and can be used to check answers as they stand.
 */
export function describeApi(app: NestFastifyApplication): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Strike Auth')
    .setDescription(apiDescription)
    .setVersion(version)
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'From `/verify`.' })
    .addBearerAuth(
      { type: 'http', scheme: 'bearer', description: 'The operator’s `SERVICE_KEY`.' },
      serviceKeyScheme,
    );
  for (const [name, description] of Object.entries(tags)) builder.addTag(name, description);
  const document = SwaggerModule.createDocument(app, builder.build());
  document.components = { ...document.components, headers: { ...headerComponents } };
  closeAnswers(document.components.schemas ?? {});
  describeHead(document.paths['/verify']);
  for (const operation of Object.values(document.paths).flatMap(operationsOf)) addRequestId(operation);
  return document;
}

/** Swagger UI at `/docs`, the document at `/openapi.json`. */
export function serveDocs(app: NestFastifyApplication): void {
  letDocsLoadTheirScripts(app.getHttpAdapter().getInstance());
  SwaggerModule.setup('docs', app, () => describeApi(app), {
    raw: ['json'],
    jsonDocumentUrl: 'openapi.json',
    customSiteTitle: 'Strike Auth',
    swaggerOptions: { displayRequestDuration: true, defaultModelsExpandDepth: 0, validatorUrl: null },
  });
}

/** For the routes that come after this call. */
function letDocsLoadTheirScripts(fastify: FastifyInstance): void {
  fastify.addHook('onRoute', (route) => {
    if (!/^\/docs(\/|\/index\.html)?$/.test(route.url)) return;
    route.onSend = (_request, reply, payload, done) => {
      reply.header('Content-Security-Policy', docsPolicy);
      done(null, payload);
    };
  });
}

/** Our own scripts only. Swagger UI writes styles into its elements and has its icons in data URLs. */
const docsPolicy = [
  `default-src 'none'`,
  `script-src 'self'`,
  `style-src 'self' 'unsafe-inline'`,
  `img-src 'self' data:`,
  `connect-src 'self'`,
  `base-uri 'none'`,
  `form-action 'none'`,
  `frame-ancestors 'none'`,
].join('; ');

/** What we send has no other members than those described; what we take may have any. */
function closeAnswers(schemas: Schemas): void {
  for (const [name, schema] of Object.entries(schemas)) {
    if ('properties' in schema && !name.endsWith('Dto')) schema.additionalProperties = false;
  }
}

/** Every GET can be asked with HEAD; only for the link of a mail there is something to say about it. */
function describeHead(path: PathItem | undefined): void {
  if (!path?.get) return;
  path.head = {
    ...path.get,
    operationId: 'probeLink',
    summary: 'As a mail scanner asks',
    description: 'Never consumes anything, not even with `VERIFY_ON_GET=true`.',
    responses: Object.fromEntries(
      Object.entries(path.get.responses)
        .filter(([status]) => status === '200' || status === '400' || status === '500')
        .map(([status, response]) => [status, withoutContent(response)]),
    ),
  };
}

function withoutContent(response: Operation['responses'][string]): Operation['responses'][string] {
  if (!response || '$ref' in response) return response;
  const { description, headers = {} } = response;
  return { description, headers };
}

function operationsOf({ get, head, post, put, delete: remove }: PathItem): Operation[] {
  return [get, head, post, put, remove].filter((operation) => operation !== undefined);
}

function addRequestId({ responses }: Operation): void {
  for (const response of Object.values(responses)) {
    if (response && !('$ref' in response)) {
      response.headers = { ...response.headers, ...refToHeader('X-Request-Id') };
    }
  }
}
