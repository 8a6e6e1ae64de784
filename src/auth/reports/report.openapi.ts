import { ApiBody, ApiConsumes, ApiOkResponse, ApiOperation, ApiProperty } from '@nestjs/swagger';
import { applyDecorators } from '@nestjs/common';
import { ApiErrors, unavailableError } from '../../openapi/api-errors.decorator.js';

/** What a report is answered with. */
export class ReportResponse {
  @ApiProperty({
    type: 'integer',
    minimum: 0,
    description: 'How many events in it were of a kind that counts.',
    example: 1,
  })
  received: number;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'What to send back to the person who wrote, when that is up to the caller.',
    example: null,
  })
  reply: string | null;
}

type Content = NonNullable<Parameters<typeof ApiOkResponse>[0]>['content'];

interface ReportRoute {
  readonly operationId: string;
  readonly summary: string;
  /** Who calls, and how they prove that it is them. */
  readonly description: string;
  readonly consumes: string;
  readonly example: unknown;
  /** What is answered, when it is not the usual. */
  readonly content?: Content;
}

export const twimlContent = {
  'text/xml': {
    schema: { type: 'string', pattern: '^<\\?xml [^>]*><Response>' },
    example: '<?xml version="1.0" encoding="UTF-8"?><Response></Response>',
  },
} satisfies Content;

/** What the public documentation of a route for reports says. All of them look alike to a client that may not call them. */
export function ApiReport({ operationId, summary, description, consumes, example, content }: ReportRoute) {
  return applyDecorators(
    ApiOperation({
      operationId,
      summary,
      description: `${description}\n\nOnly where the operator has set it up. Unknown messages are ignored.`,
    }),
    ApiConsumes(consumes),
    ApiBody({
      schema: { type: Array.isArray(example) ? 'array' : typeof example === 'string' ? 'string' : 'object' },
      examples: { report: { value: example } },
    }),
    ApiOkResponse(
      content
        ? { description: 'Taken.', content }
        : { type: ReportResponse, description: 'Taken.', example: { received: 1, reply: null } },
    ),
    ApiErrors({
      malformed: ['bad_json', 'Send a JSON object'],
      not_authentic: ['not_authentic', 'Sign the report with the secret that this service knows'],
      not_set_up: ['not_found', 'See /docs for what there is'],
      too_large: ['request_entity_too_large', 'Send at most 65536 bytes'],
      unsupported_media_type: ['unsupported_media_type', `Send the body as ${consumes}`],
      ...unavailableError,
    }),
  );
}
