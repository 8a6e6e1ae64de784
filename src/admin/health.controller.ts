import { Controller, Get, Optional } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { unavailable } from '../http/api-error.js';
import { ApiErrors } from '../openapi/api-errors.decorator.js';
import { type SlidingLogState, SlidingLogStorage } from '../rate-limit/sliding-log.storage.js';
import { type CircuitState, circuitStates, ProviderStates } from '../auth/send/provider-circuits.js';

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

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: { type: 'string', enum: [...circuitStates] },
    example: { smtp: 'closed' },
    description:
      'Who carries the messages, by name. `open`: it fails and is left alone for a while; `half-open`: one message tries ' +
      'whether it works again. Absent from a process that delivers nothing.',
  })
  providers?: Readonly<Record<string, CircuitState>>;
}

@ApiTags('Operations')
@Controller('health')
export class HealthController {
  constructor(
    private readonly dataSource: DataSource,
    private readonly limits: SlidingLogStorage,
    @Optional() private readonly providers?: ProviderStates,
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
    example: { status: 'ok', limits: 'redis', providers: { smtp: 'closed' } },
  })
  @ApiErrors({ database_away: ['unavailable', 'The database cannot be reached'] })
  async ready(): Promise<Ready> {
    try {
      await this.dataSource.query('SELECT 1');
    } catch (cause) {
      throw unavailable(cause, 'The database cannot be reached');
    }
    const providers = await this.providers?.read();
    return { status: 'ok', limits: this.limits.state(), ...(providers && { providers }) };
  }
}
