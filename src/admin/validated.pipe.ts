import type { PipeTransform, Type } from '@nestjs/common';
import { validated } from '../request-body/body.guard.js';

/** A query string as a validated instance of the class; 400 with the first rule that is broken. */
export function validQuery<T extends object>(queryClass: Type<T>): PipeTransform<Record<string, unknown>, T> {
  return { transform: (query) => validated(queryClass, query) };
}
