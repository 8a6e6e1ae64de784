import { readFileSync } from 'node:fs';

/** Turns the text of a variable into its value, or throws an Error that ends the sentence "NAME …" without the text. */
export type Reader<T> = (text: string) => T;

interface Options {
  /** For the documentation: a sentence or two. */
  readonly about: string;
  /** What counts where nothing is set, as it would be written in the environment. */
  readonly default?: string;
  /** The same in production. */
  readonly inProduction?: string;
  /** Why production cannot do without. */
  readonly required?: string;
  /** The value is a credential: it belongs in a secret store. `NAME_FILE` may name a file that holds it. */
  readonly secret?: true;
}

/** An environment variable: how it is read is its type and its documentation, too. */
export interface Variable<T = unknown> extends Options {
  readonly name: string;
  readonly read: Reader<T>;
}

export function variable<T>(
  name: string,
  read: Reader<T>,
  options: Options & { default: string },
): Variable<T>;
export function variable<T>(name: string, read: Reader<T>, options: Options): Variable<T | undefined>;
export function variable<T>(name: string, read: Reader<T>, options: Options): Variable<T | undefined> {
  return { name, read, ...options };
}

type Variables<V> = { readonly [K in keyof V]: Variable<V[K]> };
type SetUp<V, N extends keyof V> = Readonly<V> & { readonly [K in N]: NonNullable<V[K]> };

/** The values of a section; those that are malformed are undefined. */
type ValuesOf = <V>(section: { readonly title: string; readonly variables: Variables<V> }) => Partial<V>;

interface Rules<V, N> {
  /** Those that are good for nothing alone: all of them are set, or none. */
  readonly together?: readonly N[];
  /** What is wrong although each value is right by itself: sentences that name the variables and say what to do. */
  check?(own: Partial<V>, valuesOf: ValuesOf): readonly (string | false | undefined)[];
}

/** Variables that belong together: a chapter of the documentation. */
export class Section<V, N extends keyof V = never> {
  constructor(
    readonly title: string,
    readonly variables: Variables<V>,
    private readonly rules: Rules<V, N> = {},
  ) {}

  private get together(): readonly N[] {
    return this.rules.together ?? [];
  }

  /** The names of those that belong together. */
  get needs(): string {
    return this.together.map((key) => this.variables[key].name).join(', ');
  }

  /**
   * @param sections values by title, as in the configuration
   * @throws when `readConfig` was not given this section
   */
  of({ sections }: { readonly sections: Readonly<Record<string, object>> }): Readonly<V> {
    const values = sections[this.title];
    if (!values) throw new Error(`readConfig was not given the section "${this.title}"`);
    return values as Readonly<V>;
  }

  /** The values, when those that belong together are set. */
  ifSetUp(config: Parameters<this['of']>[0]): SetUp<V, N> | undefined {
    const values = this.of(config);
    return this.isSetUp(values) ? values : undefined;
  }

  isSetUp(values: Partial<V>): values is SetUp<V, N> {
    return this.together.every((key) => values[key] !== undefined);
  }

  problems(own: Partial<V>, valuesOf: ValuesOf): readonly (string | false | undefined)[] {
    const isBegun = this.together.some((key) => own[key] !== undefined);
    return [
      isBegun && !this.isSetUp(own) && `${this.needs} belong together: set all of them or none`,
      ...(this.rules.check?.(own, valuesOf) ?? []),
    ];
  }
}

/** A section of whatever variables. */
export interface AnySection {
  readonly title: string;
  readonly variables: Readonly<Record<string, Variable>>;
  readonly needs: string;
  isSetUp(values: object): boolean;
  problems(own: object, valuesOf: ValuesOf): readonly (string | false | undefined)[];
}

/**
 * What is set for a variable: by itself, or for a secret also in the file that `NAME_FILE` names, as Docker and Kubernetes
 * hand secrets over.
 * @throws Error that ends the sentence "NAME …", without what stands in the file
 */
function givenText({ name, secret }: Variable, env: NodeJS.ProcessEnv): string | undefined {
  const own = env[name] || undefined;
  const file = secret && env[`${name}_FILE`];
  if (!file) return own;
  if (own !== undefined) throw new Error(`and ${name}_FILE are both set: keep one of them`);
  let text: string;
  try {
    text = readFileSync(file, 'utf8').replace(/[\r\n]+$/, '');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new Error(
      `cannot be read from ${name}_FILE=${file} (${code}): name a file that this process may read`,
      { cause: error },
    );
  }
  if (text === '') throw new Error(`is empty in ${name}_FILE=${file}: put the secret there`);
  return text;
}

/**
 * Values of the sections, by title, and everything that is wrong with them.
 * @param env an empty variable counts as one that is not set
 */
export function readSections(sections: readonly AnySection[], env: NodeJS.ProcessEnv) {
  const production = env['NODE_ENV'] === 'production';
  const malformed: string[] = [];
  const problems: string[] = [];
  const values: Record<string, Record<string, unknown>> = {};
  const valueOf = (declared: Variable): unknown => {
    const { name, read, required, ...defaults } = declared;
    const fallback = production
      ? (defaults.inProduction ?? (required ? undefined : defaults.default))
      : defaults.default;
    try {
      const text = givenText(declared, env) ?? fallback;
      if (text !== undefined) return read(text);
      if (production && required) problems.push(`${name} is required in production: ${required}`);
    } catch (error) {
      malformed.push(name);
      problems.push(`${name} ${(error as Error).message}`);
    }
    return undefined;
  };
  for (const { title, variables } of sections) {
    values[title] = Object.fromEntries(
      Object.entries(variables).map(([key, declared]) => [key, valueOf(declared)]),
    );
  }
  const valuesOf: ValuesOf = ({ title }) => (values[title] ?? {}) as never;
  const contradictions = sections
    .flatMap((section) => section.problems(values[section.title] ?? {}, valuesOf))
    .filter((problem) => typeof problem === 'string')
    // What is malformed is there, though of no use: it is not missing as well.
    .filter((problem) => !malformed.some((name) => problem.includes(name)));
  return { values, problems: [...problems, ...contradictions] };
}
