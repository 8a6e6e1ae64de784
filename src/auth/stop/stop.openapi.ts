import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOkResponse, ApiOperation, ApiQuery } from '@nestjs/swagger';
import { ApiErrors, bodyErrors, unavailableError } from '../../openapi/api-errors.decorator.js';

const page = { 'text/html': { schema: { type: 'string', pattern: '^<!doctype html>' } } };

export const notALink = 'token must be that of a link in a mail, as a whole';
const noLink = { not_a_link: ['validation_failed', notALink] } as const;
const thePage = { description: 'The page, with what its button does now.', content: page };

/** What the public documentation of `GET /stop` says. */
export function ApiOpenStop() {
  return applyDecorators(
    ApiOperation({
      operationId: 'openStop',
      summary: 'Where "stop these mails" leads',
      description:
        'A page with one button, which posts to `/stop`: mails of one type to one address stop for 30 days, or come again. ' +
        'Opening it changes nothing: mail scanners open links.',
    }),
    ApiQuery({ name: 'token', schema: { type: 'string' }, description: 'From the link.' }),
    ApiOkResponse(thePage),
    ApiErrors({ ...noLink, ...unavailableError }, {}, page),
  );
}

/** What the public documentation of `POST /stop` says. */
export function ApiPressStop() {
  return applyDecorators(
    ApiOperation({
      operationId: 'pressStop',
      summary: 'Stop the mails, or let them come again',
      description:
        'The form of the page. From another site it shows the page again and changes nothing. A change of address that ' +
        'waits for its confirmation ends with its mails.',
    }),
    ApiConsumes('application/x-www-form-urlencoded'),
    ApiBody({
      schema: {
        type: 'object',
        required: ['token'],
        properties: {
          token: { type: 'string', description: 'From the link.' },
          action: { type: 'string', enum: ['stop', 'take_back'], default: 'stop' },
        },
      },
    }),
    ApiOkResponse(thePage),
    ApiErrors({ ...noLink, ...bodyErrors, ...unavailableError }, {}, page),
  );
}
