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
import { orUnavailable } from '../http/api-error.js';
import { bodyGuard, validQuery } from '../http/body.guard.js';
import { ServiceKeyGuard } from './service-key.guard.js';
import { ApiForOperators } from './service-key.openapi.js';
import {
  exampleSuppression,
  ListSuppressionsQueryDto,
  SuppressionListResponse,
  SuppressionDto,
  SuppressionResponse,
} from './suppressions.dto.js';
import { Suppressions } from './suppressions.js';

const addressErrors = {
  missing_address: ['validation_failed', 'Email or phone number is required', 'Missing required field'],
  invalid_field: ['validation_failed', 'Send email or phone, not both'],
  ...bodyErrors,
} as const;
const notListed = { not_listed: ['not_found', 'It is not on the suppression list'] } as const;
const addresses = {
  email: { summary: 'An email', value: { email: 'user@example.com' } },
  phone: { summary: 'A phone', value: { phone: '+1234567890' } },
};
const AddressGuard = bodyGuard(SuppressionDto);

@ApiTags('Admin')
@Controller('admin/suppressions')
@UseGuards(ServiceKeyGuard)
export class SuppressionsController {
  constructor(private readonly suppressions: Suppressions) {}

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
    @Query(validQuery(ListSuppressionsQueryDto)) query: ListSuppressionsQueryDto,
  ): Promise<SuppressionListResponse> {
    return orUnavailable(() => this.suppressions.page(query));
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
  add(@Body() request: SuppressionDto): Promise<SuppressionResponse> {
    return orUnavailable(() => this.suppressions.add(request));
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
  @ApiForOperators({ ...addressErrors, ...notListed })
  lift(@Body() request: SuppressionDto): Promise<void> {
    return orUnavailable(() => this.suppressions.lift(request));
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
  @ApiForOperators(notListed)
  remove(@Param('id') id: string): Promise<void> {
    return orUnavailable(() => this.suppressions.remove(id));
  }
}
