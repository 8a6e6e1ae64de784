import { register } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { compile } from './swc.mjs';

// node --import ./scripts/typescript-loader.mjs: Node's own module hooks, so that TypeORM's command line opens ormconfig.ts. What
// Node can strip of types by itself does not do: decorators and their metadata are code.

if (isMainThread) register(import.meta.url);

/**
 * The sources import each other by the name of what is built.
 *
 * @type {import('node:module').ResolveHook}
 */
export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context);
  } catch (error) {
    if (!/^\.{1,2}\/.*\.js$/.test(specifier)) throw error;
    return next(specifier.replace(/\.js$/, '.ts'), context);
  }
}

/** @type {import('node:module').LoadHook} */
export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  return { format: 'module', source: await compile(fileURLToPath(url)), shortCircuit: true };
}
