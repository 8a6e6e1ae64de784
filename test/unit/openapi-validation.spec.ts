import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OpenAPIObject } from '@nestjs/swagger';
import { type Answer, OpenApiValidation } from '../support/openapi-validation.js';

const file = join(import.meta.dirname, '../../openapi.json');
const validation = new OpenApiValidation(JSON.parse(readFileSync(file, 'utf8')) as OpenAPIObject);

const message_id = 'msg_0198c0ffee7b7c1e9d1f2a3b4c5d6e7f';
const refusal = { code: 400, error_code: 'bad_json', msg: 'Malformed JSON', details: 'Send a JSON object' };
const headers = {
  'content-type': 'application/json; charset=utf-8',
  'x-request-id': '3f0c1f0e-8a57-4f0a-9d27-0b8f6f3f5a11',
  'x-ratelimit-limit': '3',
  'x-ratelimit-remaining': '2',
  'x-ratelimit-reset': '300',
  'ratelimit-policy': '"ip";q=10;w=600, "email";q=3;w=300',
  ratelimit: '"ip";r=9;t=600, "email";r=2;t=300',
};

const accepted: Answer = {
  method: 'POST',
  route: '/resend',
  status: 200,
  headers,
  body: JSON.stringify({ message_id }),
};
const refused: Answer = { ...accepted, status: 400, body: JSON.stringify(refusal) };

const withBody = (answer: Answer, body: object): Answer => ({ ...answer, body: JSON.stringify(body) });
const withHeader = (name: string, value: string | undefined): Answer => ({
  ...accepted,
  headers: { ...headers, [name]: value },
});

describe('checking answers against the document', () => {
  it.each<[string, Answer]>([
    ['a message id', accepted],
    ['a documented error', refused],
    [
      'an empty answer to a form',
      {
        ...accepted,
        route: '/verify',
        status: 303,
        headers: { ...headers, location: 'https://a.example/#x' },
        body: '',
      },
    ],
    ['HEAD where only GET is documented', { ...accepted, method: 'HEAD', route: '/health/live' }],
    ['a route that is not documented', { ...accepted, route: '/landing.js', status: 418 }],
    ['no route at all', { ...accepted, route: '', status: 404 }],
  ])('finds nothing wrong with %s', (_what, answer) => {
    expect(validation.violationsOf(answer)).toEqual([]);
  });

  it.each<[string, Answer, string]>([
    ['a status that is not documented', { ...accepted, status: 201 }, 'the status is not documented'],
    ['a missing member', withBody(accepted, {}), "must have required property 'message_id'"],
    ['a malformed member', withBody(accepted, { message_id: 'msg_1' }), 'must match pattern'],
    ['a member of the wrong type', withBody(accepted, { message_id: 1 }), 'must be string'],
    [
      'a member too many',
      withBody(accepted, { message_id, known: true }),
      'must NOT have additional properties',
    ],
    [
      'an unknown error code',
      withBody(refused, { ...refusal, error_code: 'other' }),
      'must be equal to one of',
    ],
    [
      "another status' error code",
      withBody(refused, { ...refusal, error_code: 'otp_expired' }),
      'must be equal to one of',
    ],
    ["another status' number", withBody(refused, { ...refusal, code: 500 }), 'must be equal to one of'],
    ['a body that is not JSON', { ...accepted, body: '<html>' }, 'the body is not JSON'],
    [
      'another content type',
      withHeader('content-type', 'text/plain'),
      'text/plain is not a documented content type',
    ],
    ['no content type', withHeader('content-type', undefined), 'is not a documented content type'],
    ['a missing header', withHeader('x-request-id', undefined), 'X-Request-Id is missing'],
    ['a header that is no number', withHeader('x-ratelimit-reset', 'soon'), 'X-RateLimit-Reset must be'],
    ['a malformed header', withHeader('ratelimit', 'ip;r=9'), 'RateLimit must match pattern'],
    ['a body where there is none', { ...accepted, route: '/verify', status: 303 }, 'there is a body'],
  ])('finds %s', (_what, answer, problem) => {
    expect(validation.violationsOf(answer).join('\n')).toContain(problem);
  });
});
