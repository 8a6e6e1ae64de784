import { Controller, Get, Header, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { serviceKeyErrors } from '../admin/service-key.openapi.js';
import { ApiErrors } from '../api-errors.decorator.js';
import { serviceKeyScheme } from '../service-key-scheme.openapi.js';
import { MetricsGuard } from './metrics.guard.js';
import { Metrics } from './metrics.js';

@ApiTags('Operations')
@Controller()
export class MetricsController {
  constructor(private readonly metrics: Metrics) {}

  @Get('metrics')
  @UseGuards(MetricsGuard)
  @ApiBearerAuth(serviceKeyScheme)
  @Header('Content-Type', 'text/plain; version=0.0.4; charset=utf-8')
  @ApiOperation({
    operationId: 'getMetrics',
    summary: 'Figures for Prometheus',
    description:
      'In its text format, version 0.0.4. No label names a person. In development it needs no key unless one is set.',
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
  @ApiErrors(serviceKeyErrors)
  read(): Promise<string> {
    return this.metrics.text();
  }
}
