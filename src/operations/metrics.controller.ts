import { Controller, Get, Header } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiErrors } from '../api-errors.decorator.js';
import { Metrics } from './metrics.js';

@ApiTags('Operations')
@Controller()
export class MetricsController {
  constructor(private readonly metrics: Metrics) {}

  @Get('metrics')
  @Header('Content-Type', 'text/plain; version=0.0.4; charset=utf-8')
  @ApiOperation({
    operationId: 'getMetrics',
    summary: 'Figures for Prometheus',
    description: 'In its text format, version 0.0.4. No label names a person.',
  })
  @ApiOkResponse({
    description: 'The figures.',
    content: {
      'text/plain': {
        schema: { type: 'string', pattern: '^# HELP ' },
        example: '# HELP strike_auth_http_request_seconds Time to answer a request\n',
      },
    },
  })
  @ApiErrors({})
  read(): Promise<string> {
    return this.metrics.registry.metrics();
  }
}
