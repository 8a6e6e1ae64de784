import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { Expose, Transform, type TransformFnParams } from 'class-transformer';
import { IsIn, IsOptional, Matches, ValidateBy } from 'class-validator';
import { uuidOfHex } from '../platform/ids.js';

/** Sentinel in place of a value that could not be read. */
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

/** One of these words. */
export function OneOfField(words: readonly string[], usual?: string): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({ enum: words, ...(usual === undefined ? {} : { default: usual }) }),
    Expose(),
    IsOptional(),
    IsIn(words, { message: `$property must be one of ${words.join(', ')}` }),
  );
}

/** @param documented what the documentation says besides */
export function WordField(rule: string, documented: { example?: string; description?: string }) {
  return applyDecorators(
    ApiPropertyOptional({ type: String, maxLength: 64, ...documented }),
    Expose(),
    IsOptional(),
    Matches(/^[\w.:-]{1,64}$/, { message: `$property must be ${rule}` }),
  );
}

/** The reason of a message. */
export const ReasonField = () => WordField('the reason of a message, one word', { example: 'expired' });

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

/** Latest moment that a cursor may name: the end of the year 9999, in milliseconds. */
const latestMs = 253_402_300_799_999;
const timeBytes = 6;
const keyBytes = 32;

/** Keyset cursor of the message list: it goes on after the message with this UUID. */
export function messageCursorOf(uuid: string): string {
  return Buffer.from(uuid.replaceAll('-', ''), 'hex').toString('base64url');
}

/** The UUID; undefined when the text is no such cursor. Any 16 bytes are a place in the list. */
export function readMessageCursor(cursor: string): string | undefined {
  const bytes = readBytes(cursor, 16);
  return bytes && uuidOfHex(bytes.toString('hex'));
}

/** An entry's place in the suppression list. */
export interface SuppressionPlace {
  readonly createdAt: Date;
  readonly key: Buffer;
}

export function suppressionCursorOf({ createdAt, key }: SuppressionPlace): string {
  const time = Buffer.alloc(timeBytes);
  time.writeUIntBE(createdAt.getTime(), 0, timeBytes);
  return Buffer.concat([time, key]).toString('base64url');
}

export function readSuppressionCursor(cursor: string): SuppressionPlace | undefined {
  const bytes = readBytes(cursor, timeBytes + keyBytes);
  const ms = bytes?.readUIntBE(0, timeBytes) ?? Infinity;
  return bytes && ms <= latestMs ? { createdAt: new Date(ms), key: bytes.subarray(timeBytes) } : undefined;
}

/** The name of an entry of the suppression list: its key, from which no address can be read back. */
export function suppressionIdOf(key: Buffer): string {
  return key.toString('base64url');
}

export function readSuppressionId(id: string): Buffer | undefined {
  return readBytes(id, keyBytes);
}

function readBytes(text: string, length: number): Buffer | undefined {
  if (!/^[\w-]+$/.test(text) || text.length !== Math.ceil((length * 4) / 3)) return undefined;
  return Buffer.from(text, 'base64url');
}
