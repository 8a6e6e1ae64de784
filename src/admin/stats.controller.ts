import { Controller, Get, Query, UseGuards } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { orUnavailable } from '../http/api-error.js';
import { validQuery } from '../http/body.guard.js';
import { ApiForOperators, ServiceKeyGuard } from './service-key.guard.js';
import { MessageStats } from './message-stats.js';
import { exampleStats, StatsQueryDto, StatsResponse } from './stats.dto.js';

@ApiTags('Admin')
@Controller('admin/stats')
@UseGuards(ServiceKeyGuard)
export class StatsController {
  constructor(private readonly stats: MessageStats) {}

  @Get()
  @ApiOperation({
    operationId: 'countMessages',
    summary: 'Count messages and attempts',
    description: 'By status, type, provider and hour, over at most 7 days.',
  })
  @ApiOkResponse({ type: StatsResponse, description: 'The counts.', example: exampleStats })
  @ApiForOperators({
    invalid_field: [
      'validation_failed',
      'since must be a date and time with a zone, such as 2026-01-31T12:00:00Z',
    ],
    range_too_long: ['validation_failed', 'since must be at most 7 days before until'],
  })
  count(@Query(validQuery(StatsQueryDto)) query: StatsQueryDto): Promise<StatsResponse> {
    return orUnavailable(() => this.stats.count(query));
  }
}
