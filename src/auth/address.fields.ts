import { applyDecorators } from '@nestjs/common';
import { Expose, Transform, type TransformFnParams } from 'class-transformer';
import { IsDefined, ValidateBy, ValidateIf } from 'class-validator';
import { normaliseEmail, normalisePhone } from './address.js';

interface AddressFieldOptions<T> {
  /** When the field counts; where it does not, anything may stand in it. */
  usedWhen: (request: T) => boolean;
  /** What a client is told when the field counts and is absent. */
  missing: string;
}

/** What stands in the place of an address that could not be normalised; no address is empty. */
const malformed = '';

function addressField<T>(
  normalise: (text: string) => string | null,
  rule: string,
  options: AddressFieldOptions<T>,
) {
  const toNormalForm = ({ value }: TransformFnParams): unknown => {
    if (value === undefined) return undefined;
    return (typeof value === 'string' ? normalise(value) : null) ?? malformed;
  };
  return applyDecorators(
    Expose(),
    Transform(toNormalForm),
    ValidateIf(options.usedWhen),
    IsDefined({ message: options.missing, context: { missing: true } }),
    ValidateBy(
      { name: 'isAddress', validator: { validate: (value) => value !== malformed } },
      { message: rule },
    ),
  );
}

/** An email address, in its normal form after validation. */
export function EmailField<T>(options: AddressFieldOptions<T>): PropertyDecorator {
  return addressField(
    normaliseEmail,
    '$property must be a valid email address of at most 254 characters',
    options,
  );
}

/** A phone number, in E.164 after validation. */
export function PhoneField<T>(options: AddressFieldOptions<T>): PropertyDecorator {
  return addressField(
    normalisePhone,
    '$property must be in E.164 form: a plus sign, then 2 to 15 digits, the first not 0',
    options,
  );
}
