import { Controller, type ExecutionContext, Get, Header, Injectable, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiErrors } from '../openapi/api-errors.decorator.js';
import { serviceKeyScheme } from '../openapi/components.js';
import { Metrics } from '../platform/metrics.js';
import { serviceKeyErrors, ServiceKeyGuard } from './service-key.guard.js';

/**
 * Side channel: deliveries are counted by outcome, so on a quiet service two readings would tell a stranger whether an
 * address is known. So the figures are for operators. In development they are open until a key is set.
 */
@Injectable()
class MetricsGuard extends ServiceKeyGuard {
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    return this.keys.areWaived || super.canActivate(context);
  }
}

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
