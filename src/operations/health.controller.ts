import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { ApiError } from '../api-error.js';
import { ApiErrors } from '../api-errors.decorator.js';
import { type SlidingLogState, SlidingLogStorage } from '../auth/accept/throttling/sliding-log.storage.js';

const limitStates = ['memory', 'redis', 'memory-fallback'] as const;

class Alive {
  @ApiProperty({ example: 'ok', enum: ['ok'] })
  status: 'ok';
}

class Ready extends Alive {
  @ApiProperty({
    enum: limitStates,
    example: 'redis',
    description:
      'Where limits are counted. `memory-fallback`: Redis is away, and each instance grants the whole limit.',
  })
  limits: SlidingLogState;
}

@ApiTags('Operations')
@Controller('health')
export class HealthController {
  constructor(
    private readonly dataSource: DataSource,
    private readonly limits: SlidingLogStorage,
  ) {}

  @Get('live')
  @ApiOperation({
    operationId: 'getLiveness',
    summary: 'The process runs',
    description: 'For a probe that restarts the process. It asks nothing of the database.',
  })
  @ApiOkResponse({ type: Alive, description: 'It runs.', example: { status: 'ok' } })
  @ApiErrors({})
  live(): Alive {
    return { status: 'ok' };
  }

  @Get('ready')
  @ApiOperation({
    operationId: 'getReadiness',
    summary: 'The service can accept messages',
    description: 'For a probe that decides whether to send requests here.',
  })
  @ApiOkResponse({
    type: Ready,
    description: 'The database answers.',
    example: { status: 'ok', limits: 'redis' },
  })
  @ApiErrors({ database_away: ['unavailable', 'The database cannot be reached'] })
  async ready(): Promise<Ready> {
    try {
      await this.dataSource.query('SELECT 1');
    } catch (cause) {
      throw new ApiError('unavailable', 'The database cannot be reached', { retryAfter: 5, cause });
    }
    return { status: 'ok', limits: this.limits.state() };
  }
}
