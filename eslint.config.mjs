import eslint from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';
import { noErasedClassInDecoratedSignature } from './lint/no-erased-class-in-decorated-signature.mjs';

// Every rule that is added or switched off says why on its line.

const tests = ['test/**/*.{ts,mjs}'];
const specs = ['test/**/*spec.ts'];
const tools = ['scripts/**', 'bench/**', 'proof/**', 'lint/**', 'test/support/jest/**', '*.config.mjs'];

const systemTime = 'Ask the injected Clock: tests travel in time and never wait.';
const sleep = 'A test that sleeps is slow and still flaky: inject a clock, or wait for the condition itself.';

/** What a file of the product may not do, as selectors with the reason. */
const notInSource = [
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: systemTime },
  { selector: "MemberExpression[object.name='Date'][property.name='now']", message: systemTime },
  {
    selector: "MemberExpression[object.name='process'][property.name='env']",
    message: 'Only src/config reads the environment: there it is parsed once, typed and checked.',
  },
];

const notInTests = [
  {
    selector:
      "NewExpression[callee.name='Promise'] CallExpression[callee.name='setTimeout'][arguments.0.type='Identifier']",
    message: sleep,
  },
  {
    selector:
      "NewExpression[callee.name='Promise'] CallExpression[callee.name='setTimeout'][arguments.0.body.callee.name='resolve']",
    message: sleep,
  },
];

export default defineConfig(
  globalIgnores(['dist/', 'data/', 'coverage/']),
  eslint.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: {
      house: { rules: { 'no-erased-class-in-decorated-signature': noErasedClassInDecoratedSignature } },
    },
    rules: {
      'house/no-erased-class-in-decorated-signature': 'error', // `import type` of a DTO switches validation off silently
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }], // what is not there at run time is not loaded; keeps quiet where decorators need the value
      '@typescript-eslint/switch-exhaustiveness-check': 'error', // a new type or status must be met everywhere
      '@typescript-eslint/prefer-readonly': 'error', // a field that changes should stand out
      'no-undef': 'off', // the compiler knows better which names exist
      eqeqeq: 'error', // `==` converts, and then "0" is 0
      'no-console': 'error', // the log is structured and masks addresses; console does neither
      'max-lines': ['error', { max: 220 }], // one file, one concept
      'max-lines-per-function': ['error', { max: 50, skipBlankLines: true, skipComments: true }], // one function, one thought
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true, allowEmpty: true }], // a Nest module is a class with nothing in it, and so is a token
      '@typescript-eslint/no-empty-object-type': ['error', { allowInterfaces: 'with-single-extends' }], // the shape behind a token
      '@typescript-eslint/no-unsafe-declaration-merging': 'off', // a class is the token, the interface of that name its shape
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off', // classes describe answers to Swagger; literals fill them
      '@typescript-eslint/no-misused-spread': ['error', { allow: ['string'] }], // `[...text]` counts characters as people do, nearly
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }], // a number prints as one expects
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ], // `return stop()` and `() => stop()` hide nothing
      '@typescript-eslint/require-await': 'off', // a port's method is async whether or not this implementation waits
    },
  },
  {
    files: ['src/**'],
    rules: {
      'no-restricted-syntax': ['error', ...notInSource], // each selector carries its reason
      'no-restricted-imports': [
        'error',
        {
          paths: [
            {
              name: 'node:process',
              message: 'It is a way around the rule that only src/config reads the environment.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['src/config/config.ts', 'src/platform/clock.ts'],
    rules: { 'no-restricted-syntax': 'off' }, // these two are the places that the rule points to
  },
  {
    files: ['src/**/*.browser.js'],
    languageOptions: { parserOptions: { projectService: false, project: 'tsconfig.browser.json' } }, // the compiler knows a browser's names there
    rules: {
      'no-restricted-syntax': 'off', // there is no clock to ask in a browser
      '@typescript-eslint/no-unsafe-assignment': 'off', // it does not see a cast in a comment; the compiler does
    },
  },
  {
    files: ['src/database/migrations/**'],
    rules: { 'max-lines-per-function': 'off' }, // a schema is a list, not a thought
  },
  {
    files: tests,
    rules: {
      'max-lines': 'off', // a suite is as long as the behaviour has cases
      'max-lines-per-function': 'off', // `describe` is one function
      '@typescript-eslint/unbound-method': 'off', // `expect(object.method)` does not call it
      '@typescript-eslint/no-unsafe-assignment': 'off', // bodies of answers are `any`, and the assertions are what checks them
      '@typescript-eslint/no-unsafe-member-access': 'off', // the same
      '@typescript-eslint/no-unsafe-argument': 'off', // the same
      '@typescript-eslint/no-non-null-assertion': 'off', // a missing value fails the test, which is what it is for
    },
  },
  {
    files: specs,
    rules: {
      'no-restricted-syntax': ['error', ...notInTests], // each selector carries its reason
      'no-restricted-imports': [
        'error',
        {
          paths: [{ name: 'node:timers/promises', importNames: ['setTimeout', 'scheduler'], message: sleep }],
        },
      ],
    },
  },
  {
    files: tools,
    rules: {
      'no-console': 'off', // a command talks to a terminal
      '@typescript-eslint/no-unsafe-enum-comparison': 'off', // the syntax tree's node types are written as strings
      '@typescript-eslint/no-unsafe-enum-assignment': 'off', // the same
    },
  },
  {
    files: ['bench/**', 'proof/variants/**'],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off', // what is measured is loaded from dist, which has no types
      '@typescript-eslint/no-unsafe-member-access': 'off', // the same
      '@typescript-eslint/no-unsafe-argument': 'off', // the same
      '@typescript-eslint/no-unsafe-call': 'off', // the same
      '@typescript-eslint/no-unsafe-return': 'off', // the same
      '@typescript-eslint/restrict-template-expressions': 'off', // the same
    },
  },
  {
    files: ['**/*.cjs'],
    extends: [tseslint.configs.disableTypeChecked], // outside of the TypeScript project: dependency-cruiser wants CommonJS
    languageOptions: { sourceType: 'commonjs' },
    rules: { '@typescript-eslint/no-require-imports': 'off' }, // the same
  },
);
