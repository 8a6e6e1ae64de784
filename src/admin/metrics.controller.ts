import { Controller, type ExecutionContext, Get, Header, Injectable, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiErrors } from '../openapi/api-errors.decorator.js';
import { serviceKeyScheme } from '../openapi/components.js';
import { Metrics } from '../platform/metrics.js';
import { ServiceKeyGuard } from './service-key.guard.js';
import { serviceKeyErrors } from './service-key.openapi.js';

/**
 * Deliveries are counted by what became of them: on a quiet service that would tell whoever asks twice whether an address
 * is known. So the figures are for operators. In development they are open until a key is set.
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
