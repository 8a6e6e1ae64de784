import { Controller, type ExecutionContext, Get, Header, Injectable, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { isFromThisMachine } from '../http/from-this-machine.js';
import { ApiErrors } from '../openapi/api-errors.decorator.js';
import { serviceKeyScheme } from '../openapi/components.js';
import { Metrics } from '../platform/metrics.js';
import { serviceKeyErrors, ServiceKeyGuard } from './service-key.guard.js';

/**
 * Side channel: deliveries are counted by outcome, so on a quiet service two readings would tell a stranger whether an
 * address is known. So the figures are for operators. In development they are open on this machine until a key is set; others
 * get the 401 that they would get in production, because there the route is no secret.
 */
@Injectable()
class MetricsGuard extends ServiceKeyGuard {
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const { raw } = context.switchToHttp().getRequest<FastifyRequest>();
    return (this.keys.areWaived && isFromThisMachine(raw)) || super.canActivate(context);
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
      'In its text format, version 0.0.4. No label names a person. In development, on the machine of the service, it needs no key unless one is set.',
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
