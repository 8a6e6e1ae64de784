import { ApiError } from '../api-error.js';

/** Deeper nesting serves no field of ours or of a vendor's, and would only exhaust the stack of whoever walks it. */
const maxDepth = 16;

/** @throws ApiError 400 `bad_json` when the value nests more than sixteen levels deep, itself included */
export function refuseTooDeep(value: object): void {
  if (isTooDeep(value)) throw new ApiError('bad_json', `Nest at most ${maxDepth} levels deep`);
}

/** Goes no deeper itself than it has to, however deep the value is. */
function isTooDeep(value: object, levels = maxDepth): boolean {
  if (levels === 0) return true;
  for (const inner of Object.values(value) as unknown[]) {
    if (typeof inner === 'object' && inner !== null && isTooDeep(inner, levels - 1)) return true;
  }
  return false;
}
