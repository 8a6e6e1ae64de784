import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiParam } from '@nestjs/swagger';
import { bodyErrors } from '../openapi/api-errors.decorator.js';
import { ApiForOperators } from './service-key.guard.js';
import {
  exampleDetails,
  exampleMessage,
  MessageDetailsResponse,
  MessageListResponse,
  MessageResponse,
} from './message.response.js';
import { ReplayDto, ReplayResponse } from './messages.dto.js';

const exampleCursor = 'AZjA_-57fB6dHyo7TF1ufw';
const notFound = { unknown_message: ['not_found', 'There is no such message, or no longer'] } as const;

function ApiMessageId() {
  return ApiParam({ name: 'id', type: String, example: exampleMessage.message_id });
}

export function ApiListMessages() {
  return applyDecorators(
    ApiOperation({
      operationId: 'listMessages',
      summary: 'List messages',
      description:
        'The newest first. Filters are combined; recipients are masked. No filter makes a page slow: where no index ' +
        'helps, a page looks at the next 20,000 messages and may be short, or empty, while `next_cursor` goes on.',
    }),
    ApiOkResponse({
      type: MessageListResponse,
      description: 'A page.',
      example: { messages: [exampleMessage], next_cursor: exampleCursor },
    }),
    ApiForOperators({
      invalid_field: ['validation_failed', 'limit must be a whole number from 1 to 200'],
    }),
  );
}

export function ApiReadMessage() {
  return applyDecorators(
    ApiOperation({
      operationId: 'readMessage',
      summary: 'All that is known of a message',
      description:
        'With the whole address, every attempt, and what providers said afterwards. Never a code or a link: those are ' +
        'kept nowhere.',
    }),
    ApiMessageId(),
    ApiOkResponse({ type: MessageDetailsResponse, description: 'The message.', example: exampleDetails }),
    ApiForOperators(notFound),
  );
}

export function ApiRetry() {
  return applyDecorators(
    ApiOperation({
      operationId: 'retryMessage',
      summary: 'Send a message again',
      description:
        'One that was dropped, failed or bounced. Its age counts anew, its attempts so far stay, and it carries a fresh ' +
        'link or code.',
    }),
    ApiMessageId(),
    ApiOkResponse({
      type: MessageResponse,
      description: 'It is due.',
      example: { ...exampleMessage, status: 'accepted', reason: null, ended_at: null },
    }),
    ApiForOperators({
      ...notFound,
      not_possible: [
        'message_status_conflict',
        'Only a message that is failed, bounced, dropped can be sent again',
      ],
    }),
  );
}

export function ApiCancel() {
  return applyDecorators(
    ApiOperation({
      operationId: 'cancelMessage',
      summary: 'Keep a message from being sent',
      description:
        'One that waits for its first attempt or its next. What a worker has in its hands goes out.',
    }),
    ApiMessageId(),
    ApiOkResponse({
      type: MessageResponse,
      description: 'It is dropped.',
      example: { ...exampleMessage, status: 'dropped', reason: 'cancelled' },
    }),
    ApiForOperators({
      ...notFound,
      not_possible: ['message_status_conflict', 'Only a message that is accepted can be cancelled'],
    }),
  );
}

export function ApiReplay() {
  return applyDecorators(
    ApiOperation({
      operationId: 'replayMessages',
      summary: 'Send all messages of a time again',
      description:
        'For the time after an outage: everything that was accepted in the range and has failed, the oldest first, in ' +
        'batches. The list with the same filters shows what it would be. Each message carries a fresh link or code.',
    }),
    ApiBody({
      type: ReplayDto,
      examples: {
        outage: {
          summary: 'What failed in an hour',
          value: { since: '2026-01-31T12:00:00Z', until: '2026-01-31T13:00:00Z' },
        },
        narrow: {
          summary: 'What was dropped for one reason',
          value: { since: '2026-01-31T12:00:00Z', status: 'dropped', reason: 'suppressed', limit: 100 },
        },
      },
    }),
    ApiOkResponse({
      type: ReplayResponse,
      description: 'They are due.',
      example: { replayed: 1_000, next_cursor: exampleCursor },
    }),
    ApiForOperators({
      missing_since: ['validation_failed', 'Since is required', 'Missing required field'],
      invalid_field: ['validation_failed', 'status must be one of failed, bounced, dropped'],
      ...bodyErrors,
    }),
  );
}
