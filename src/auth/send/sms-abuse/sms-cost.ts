import type { SmsCost } from '../../../config.js';

/**
 * What a message to the number costs at the provider, in millionths. The longest prefix counts; entries for the provider
 * come before those for any. What no entry covers costs as much as the dearest: a gap in the table must not be free.
 */
export function smsCostOf(costs: readonly SmsCost[], provider: string, number: string): number {
  const matching = costs.filter(({ prefix }) => prefix === '*' || number.startsWith(prefix));
  const own = matching.filter((cost) => cost.provider === provider);
  const candidates = own.length > 0 ? own : matching.filter((cost) => cost.provider === '*');
  const [best] = candidates.sort((a, b) => b.prefix.length - a.prefix.length);
  return best?.micros ?? Math.max(0, ...costs.map(({ micros }) => micros));
}
