import { transformFile } from '@swc/core';

/**
 * One TypeScript source as an ES module, types unchecked.
 *
 * @param {string} file
 */
export async function compile(file) {
  const { code } = await transformFile(file, {
    configFile: false,
    swcrc: false,
    module: { type: 'es6' },
    jsc: {
      target: 'es2022',
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
    },
  });
  return code;
}
