import { makeValidator } from 'envalid';
import { duration } from './readers.js';
import { serviceKeyProblem } from './key-formats.js';

const days = 24 * 60 * 60_000;

const serviceKey = makeValidator<string>(checkedServiceKey);
const serviceKeys = makeValidator<readonly string[]>((text) =>
  text.split(',').map((key) => checkedServiceKey(key.trim())),
);

export const operationsVariables = {
  SERVICE_KEY: serviceKey({ default: undefined }),
  SERVICE_KEY_PREVIOUS: serviceKeys({ default: [] }),
  RETENTION: duration({ default: 30 * days }),
};

/** The variables of this file as they were read. */
interface OperationsVariables {
  readonly SERVICE_KEY: string | undefined;
  readonly SERVICE_KEY_PREVIOUS: readonly string[];
  readonly RETENTION: number;
}

/**
 * Rules that tie these variables together. Each sentence says what to do.
 * @param v without those that are malformed
 */
export function operationsRules(v: Partial<OperationsVariables>): [broken: boolean, whatToDo: string][] {
  const previous = v.SERVICE_KEY_PREVIOUS ?? [];
  const all = [v.SERVICE_KEY, ...previous];
  return [
    [
      v.SERVICE_KEY === undefined && previous.length > 0,
      'SERVICE_KEY_PREVIOUS needs SERVICE_KEY, the key that takes its place',
    ],
    [
      new Set(all).size < all.length,
      'SERVICE_KEY_PREVIOUS holds the same key twice, or the one in SERVICE_KEY: name only keys that differ',
    ],
    [
      (v.RETENTION ?? days) < days,
      'RETENTION must be at least 24h: idempotency keys refer to messages for so long',
    ],
  ];
}

export function operationsConfig(v: OperationsVariables) {
  return {
    /** Any of them opens what is for operators; none: nothing does. The current one first. */
    serviceKeys: Object.freeze(v.SERVICE_KEY === undefined ? [] : [v.SERVICE_KEY, ...v.SERVICE_KEY_PREVIOUS]),
    retentionMs: v.RETENTION,
  };
}

function checkedServiceKey(text: string): string {
  const problem = serviceKeyProblem(text);
  if (problem !== null) throw new Error(problem);
  return text;
}
