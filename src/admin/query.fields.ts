import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { Expose, Transform, type TransformFnParams } from 'class-transformer';
import { IsOptional, ValidateBy } from 'class-validator';

/** What stands in the place of a value that could not be read. */
const unreadable = Symbol('unreadable');

/** @param read the value of a text, or undefined when it is none */
function readField(rule: string, read: (value: unknown) => unknown) {
  const toValue = ({ value }: TransformFnParams): unknown => {
    if (value === undefined) return undefined;
    return read(value) ?? unreadable;
  };
  return applyDecorators(
    Expose(),
    Transform(toValue),
    ValidateBy(
      { name: 'isReadable', validator: { validate: (value) => value !== unreadable } },
      { message: `$property must be ${rule}` },
    ),
  );
}

/** `2026-01-31T12:00:00Z`, with a time zone (RFC 3339, section 5.6), from 1970 to 9999. */
function readInstant(value: unknown): Date | undefined {
  if (typeof value !== 'string') return undefined;
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/i.test(value)) return undefined;
  const instant = new Date(value.toUpperCase());
  return instant.getTime() >= 0 && instant.getUTCFullYear() <= 9_999 ? instant : undefined;
}

/** An instant. In a query string the plus of a zone is to be written `%2B`. */
export function InstantField(description: string, { required = false } = {}): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({
      type: String,
      format: 'date-time',
      required,
      description,
      example: '2026-01-31T12:00:00Z',
    }),
    readField('a date and time with a zone, such as 2026-01-31T12:00:00Z', readInstant),
    ...(required ? [] : [IsOptional()]),
  );
}

/** How much at most; as a number, or as the digits of one. */
export function LimitField(max: number, usual: number, description: string): PropertyDecorator {
  const readCount = (value: unknown): number | undefined => {
    const count = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
    return typeof count === 'number' && Number.isInteger(count) && count >= 1 && count <= max
      ? count
      : undefined;
  };
  return applyDecorators(
    ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: max, default: usual, description }),
    readField(`a whole number from 1 to ${max}`, readCount),
    IsOptional(),
  );
}

/** @param read what the cursor says; undefined when it is none of ours */
export function CursorField(read: (cursor: string) => unknown): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({
      type: String,
      maxLength: 64,
      description: 'The `next_cursor` of the answer before. Without it: from the beginning.',
    }),
    readField('the next_cursor of an earlier answer', (value) =>
      typeof value === 'string' ? read(value) : undefined,
    ),
    IsOptional(),
  );
}
