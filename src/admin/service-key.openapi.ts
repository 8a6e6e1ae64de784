import { applyDecorators } from '@nestjs/common';
import { ApiBearerAuth } from '@nestjs/swagger';
import { ApiErrors, unavailableError } from '../openapi/api-errors.decorator.js';
import { serviceKeyScheme } from '../openapi/components.js';

/** What everybody meets who has no service key. */
export const serviceKeyErrors = {
  bad_service_key: ['bad_service_key', 'Send the service key as Authorization: Bearer'],
  too_many_wrong_keys: ['over_request_rate_limit', 'Try again in 413 seconds'],
} as const;

/** An endpoint for operators that asks the database, with the errors of its own. */
export function ApiForOperators(errors: Parameters<typeof ApiErrors>[0] = {}) {
  return applyDecorators(
    ApiBearerAuth(serviceKeyScheme),
    ApiErrors({ ...errors, ...serviceKeyErrors, ...unavailableError }),
  );
}
