import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { OpenAPIObject } from '@nestjs/swagger';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { fullFormats } from 'ajv-formats/dist/formats.js';
import { describeApi } from '../../src/openapi/document.js';

export interface Answer {
  readonly method: string;
  /** The path as the document has it. */
  readonly route: string;
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

interface Response {
  readonly headers?: Record<string, { $ref: string }>;
  readonly content?: Record<string, unknown>;
}

/** Says where answers differ from an OpenAPI 3.1 document, whose schemas are JSON Schema as they stand. */
export class OpenApiValidation {
  private readonly ajv = new Ajv2020({ allErrors: true, formats: fullFormats, allowUnionTypes: true });

  constructor(private readonly document: OpenAPIObject) {
    // The document is one schema to resolve references in; whatever else is no keyword is a mistake in it.
    this.ajv.addVocabulary([...Object.keys(document), 'example', 'x-enumNames']);
    this.ajv.addSchema(document, 'openapi.json');
  }

  /** A sentence for everything that is wrong; none when the route is not in the document. */
  violationsOf(answer: Answer): string[] {
    const path = this.document.paths[answer.route] as
      Partial<Record<string, { responses: Partial<Record<string, Response>> }>> | undefined;
    const method = answer.method.toLowerCase();
    const described = path?.[method] ? method : method === 'head' && path?.['get'] ? 'get' : undefined;
    if (described === undefined) return [];
    const response = path?.[described]?.responses[String(answer.status)];
    const where = `${answer.method} ${answer.route} ${answer.status}`;
    if (!response) return [`${where}: the status is not documented`];
    const pointer = ['paths', answer.route, described, 'responses', String(answer.status)];
    return [...this.inHeaders(answer, response), ...this.inBody(answer, response, pointer)].map(
      (problem) => `${where}: ${problem}`,
    );
  }

  private inHeaders({ headers }: Answer, response: Response): string[] {
    return Object.keys(response.headers ?? {}).flatMap((name) => {
      const value = headers[name.toLowerCase()];
      const { required, schema } = this.document.components?.headers?.[name] as {
        required?: boolean;
        schema: { type: string };
      };
      if (value === undefined) return required ? [`${name} is missing`] : [];
      const read = schema.type === 'integer' ? Number(value) : value;
      return this.inValue(read, ['components', 'headers', name, 'schema'], name);
    });
  }

  private inBody({ method, headers, body }: Answer, response: Response, pointer: string[]): string[] {
    if (method === 'HEAD') return [];
    if (!response.content) return body === '' ? [] : ['there is a body, and none is documented'];
    const [mediaType = ''] = String(headers['content-type']).split(';');
    if (!(mediaType in response.content)) return [`${mediaType} is not a documented content type`];
    const value = /[/+]json$/.test(mediaType) ? parsed(body) : body;
    if (value === undefined) return ['the body is not JSON'];
    return this.inValue(value, [...pointer, 'content', mediaType, 'schema'], 'the body');
  }

  /** @param pointer the members that lead to the schema in the document */
  inValue(value: unknown, pointer: readonly string[], name: string): string[] {
    const fragment = pointer
      .map((member) => encodeURIComponent(member.replaceAll('~', '~0').replaceAll('/', '~1')))
      .join('/');
    const validate = this.ajv.getSchema(`openapi.json#/${fragment}`);
    if (!validate) throw new Error(`openapi.json has no ${pointer.join(' ')}`);
    if (validate(value)) return [];
    return [this.ajv.errorsText(validate.errors, { dataVar: name })];
  }
}

/** Undefined when the text is not JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Checks every answer of the application from now on.
 * @returns the violations, which grow as they are found
 */
export function checkAnswers(app: NestFastifyApplication): ReadonlySet<string> {
  const violations = new Set<string>();
  let validation: OpenApiValidation | undefined;
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onSend', (request, reply, payload, done) => {
      const { method, routeOptions } = request;
      const answer = { method, route: routeOptions.url ?? '', status: reply.statusCode };
      const body = typeof payload === 'string' || Buffer.isBuffer(payload) ? payload.toString() : '';
      try {
        validation ??= new OpenApiValidation(describeApi(app));
        const found = validation.violationsOf({ ...answer, headers: reply.getHeaders(), body });
        for (const violation of found) violations.add(violation);
      } catch (error) {
        // The test is about something else: it gets its answer, and `stop` says what could not be checked.
        violations.add(String(error));
      }
      done(null, payload);
    });
  return violations;
}
