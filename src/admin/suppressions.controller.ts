import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, UseGuards } from '@nestjs/common';
import {
  ApiBody,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import { bodyErrors } from '../openapi/api-errors.decorator.js';
import { SuppressionList } from '../auth/messages/suppression-list.js';
import { ApiError, orUnavailable } from '../http/api-error.js';
import { bodyGuard, validQuery } from '../http/body.guard.js';
import { ApiForOperators, ServiceKeyGuard } from './service-key.guard.js';
import { readSuppressionId } from './query.fields.js';
import {
  exampleSuppression,
  ListSuppressionsQueryDto,
  SuppressionDto,
  suppressionListResponse,
  SuppressionListResponse,
  suppressionResponse,
  SuppressionResponse,
} from './suppressions.dto.js';

const addressErrors = {
  missing_address: ['validation_failed', 'Email or phone number is required', 'Missing required field'],
  invalid_field: ['validation_failed', 'Send email or phone, not both'],
  ...bodyErrors,
} as const;
const notListedError = { not_listed: ['not_found', 'It is not on the suppression list'] } as const;
const addresses = {
  email: { summary: 'An email', value: { email: 'user@example.com' } },
  phone: { summary: 'A phone', value: { phone: '+1234567890' } },
};
const AddressGuard = bodyGuard(SuppressionDto);

@ApiTags('Admin')
@Controller('admin/suppressions')
@UseGuards(ServiceKeyGuard)
export class SuppressionsController {
  constructor(private readonly suppressions: SuppressionList) {}

  @Get()
  @ApiOperation({
    operationId: 'listSuppressions',
    summary: 'List who gets nothing any more',
    description: 'The newest first, and why: a hard bounce, a complaint, STOP, or an operator.',
  })
  @ApiOkResponse({
    type: SuppressionListResponse,
    description: 'A page.',
    example: { suppressions: [exampleSuppression], next_cursor: null },
  })
  @ApiForOperators({ invalid_field: ['validation_failed', 'limit must be a whole number from 1 to 200'] })
  list(
    @Query(validQuery(ListSuppressionsQueryDto)) { limit, cursor }: ListSuppressionsQueryDto,
  ): Promise<SuppressionListResponse> {
    return orUnavailable(async () =>
      suppressionListResponse(await this.suppressions.entries(limit + 1, cursor), limit),
    );
  }

  @Post()
  @HttpCode(200)
  @UseGuards(AddressGuard)
  @ApiOperation({
    operationId: 'addSuppression',
    summary: 'Send an address nothing any more',
    description: 'One that is on the list keeps the reason and the time that it has. A STOP stays beside it.',
  })
  @ApiBody({ type: SuppressionDto, examples: addresses })
  @ApiOkResponse({ type: SuppressionResponse, description: 'The entry.', example: exampleSuppression })
  @ApiForOperators(addressErrors)
  add(@Body() { channel, identifier }: SuppressionDto): Promise<SuppressionResponse> {
    return orUnavailable(async () => {
      await this.suppressions.add(channel, identifier, 'operator');
      const entry = await this.suppressions.find(channel, identifier);
      // Lifted by another operator in the meantime.
      if (!entry) throw notListed();
      return suppressionResponse(entry);
    });
  }

  @Post('lift')
  @HttpCode(204)
  @UseGuards(AddressGuard)
  @ApiOperation({
    operationId: 'liftSuppression',
    summary: 'Take an address off the list',
    description:
      'In a body and by POST, because addresses in a URL end up in the logs of proxies. That the person has said STOP stands ' +
      'beside any other reason and outlives it: to lift that as well, ask once more.',
  })
  @ApiBody({ type: SuppressionDto, examples: addresses })
  @ApiNoContentResponse({ description: 'It gets messages again, unless a STOP is left.' })
  @ApiForOperators({ ...addressErrors, ...notListedError })
  lift(@Body() { channel, identifier }: SuppressionDto): Promise<void> {
    return orUnavailable(async () => {
      if (!(await this.suppressions.lift(channel, identifier))) throw notListed();
    });
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'deleteSuppression',
    summary: 'Take an entry off the list',
    description:
      'For an operator who sees the entry and does not know the address. While hashing keys are being changed, an address ' +
      'may be listed once under each: entries alike in all but the id. It gets messages again when all are off.',
  })
  @ApiParam({ name: 'id', type: String, example: exampleSuppression.id })
  @ApiNoContentResponse({ description: 'The entry is off the list.' })
  @ApiForOperators(notListedError)
  remove(@Param('id') id: string): Promise<void> {
    return orUnavailable(async () => {
      const key = readSuppressionId(id);
      if (!key || !(await this.suppressions.remove(key))) throw notListed();
    });
  }
}

function notListed(): ApiError {
  return new ApiError('not_found', 'It is not on the suppression list');
}
