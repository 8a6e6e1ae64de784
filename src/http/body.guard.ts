import {
  type CanActivate,
  type ExecutionContext,
  Injectable,
  type PipeTransform,
  type Type,
} from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { validateSync, type ValidationError } from 'class-validator';
import type { FastifyRequest } from 'fastify';
import { ApiError } from './api-error.js';
import { parseBody } from './request-body.js';

interface BodyGuardOptions {
  /** Brings the dialects that clients speak into one, before anything is validated. */
  read?: (fields: Record<string, unknown>) => Record<string, unknown>;
  /** Also take `application/x-www-form-urlencoded`, which a page's button posts. */
  acceptForm?: boolean;
}

interface AsyncGuard extends CanActivate {
  canActivate(context: ExecutionContext): Promise<boolean>;
}

/**
 * A guard that reads, parses and validates the body once and puts the validated instance in its place.
 *
 * In Nest guards run before pipes, so a limit that is keyed by a field of the body would otherwise see it raw: three
 * malformed requests would spend a stranger's quota, and `V@b.co` and `v@b.co` would have one each.
 */
export function bodyGuard<T extends object>(
  bodyClass: Type<T>,
  { read = (fields) => fields, acceptForm = false }: BodyGuardOptions = {},
): Type<AsyncGuard> {
  @Injectable()
  class BodyGuard implements AsyncGuard {
    async canActivate(context: ExecutionContext): Promise<boolean> {
      const request = context.switchToHttp().getRequest<FastifyRequest>();
      const fields = await parseBody(request, { acceptForm });
      request.body = validated(bodyClass, read(fields));
      return true;
    }
  }
  return BodyGuard;
}

/**
 * An object or list in a field, out of class-transformer's sight: it would call whatever stands in it under the name
 * `constructor`, and fail. A class that takes such a field unwraps it with `@Transform`.
 */
export class Nested {
  constructor(readonly value: object) {}
}

/** Without the nulls, which real clients send for what they do not have, and with everything nested shielded. */
function shielded(fields: Record<string, unknown>): Record<string, unknown> {
  const plain: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    // Assigning to `__proto__` would change what the object inherits; no field of ours has that name.
    if (value !== null && name !== '__proto__')
      plain[name] = typeof value === 'object' ? new Nested(value) : value;
  }
  return plain;
}

/**
 * The fields as an instance of the class, transformed and validated.
 * @throws ApiError 400 with the first rule that is broken
 */
function validated<T extends object>(bodyClass: Type<T>, fields: Record<string, unknown>): T {
  const instance = plainToInstance(bodyClass, shielded(fields), {
    excludeExtraneousValues: true,
    exposeUnsetFields: false,
  });
  const [error] = validateSync(instance, {
    stopAtFirstError: true,
    forbidUnknownValues: false,
    validationError: { target: false, value: false },
  });
  if (error) throw asApiError(error);
  return instance;
}

/** The rules' messages name the field and the rule, never the value. */
function asApiError({ property, constraints = {}, contexts = {} }: ValidationError): ApiError {
  const [rule, details] = Object.entries(constraints)[0] ?? ['', `${property} is malformed`];
  const missing = (contexts[rule] as { missing?: boolean } | undefined)?.missing === true;
  return new ApiError('validation_failed', details, missing ? { msg: 'Missing required field' } : {});
}

/** A query string as a validated instance of the class; 400 with the first rule that is broken. */
export function validQuery<T extends object>(queryClass: Type<T>): PipeTransform<Record<string, unknown>, T> {
  return { transform: (query) => validated(queryClass, query) };
}
