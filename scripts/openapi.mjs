import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import 'reflect-metadata';
import { build, isStale } from './build.mjs';

// Writes openapi.json, or with --check says whether it is what the sources describe. Nothing is started: in Nest's
// preview the parts of the application are known and not made, so there is no database and no port.

const file = new URL('../openapi.json', import.meta.url);

/**
 * What has been built of a source.
 *
 * @param {string} name
 * @returns {Promise<unknown>}
 */
const built = (name) => import(new URL(`../dist/${name}.js`, import.meta.url).href);

async function describe() {
  const { AppModule } = /** @type {typeof import('../src/app.module.js')} */ (await built('app.module'));
  const { createAdapter } = /** @type {typeof import('../src/app.setup.js')} */ (await built('app.setup'));
  const { readConfig } = /** @type {typeof import('../src/config/config.js')} */ (
    await built('config/config')
  );
  const { vendorSections } = /** @type {typeof import('../src/auth/vendors/vendors.js')} */ (
    await built('auth/vendors/vendors')
  );
  const { createLog } = /** @type {typeof import('../src/platform/log.js')} */ (await built('platform/log'));
  const { describeApi } = /** @type {typeof import('../src/openapi/document.js')} */ (
    await built('openapi/document')
  );
  // The development secrets go there, and with it.
  const folder = mkdtempSync(join(tmpdir(), 'strike-auth-openapi-'));
  try {
    const config = readConfig({ DATA_DIR: folder, LOG_LEVEL: 'silent' }, vendorSections);
    /** @type {import('@nestjs/platform-fastify').NestFastifyApplication} */
    const app = await NestFactory.create(
      AppModule.forRoot(config, createLog(config)),
      createAdapter(config),
      {
        preview: true,
        logger: false,
      },
    );
    return `${JSON.stringify(describeApi(app), null, 2)}\n`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function checkedIn() {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** @param {string} text @param {number} line */
function lineOf(text, line) {
  return text.split('\n')[line] ?? '(nothing)';
}

const code = isStale() ? build() : 0;
if (code !== 0) process.exit(code);
const described = await describe();
const known = checkedIn();
if (!process.argv.includes('--check')) {
  writeFileSync(file, described);
} else if (described !== known) {
  const first = described.split('\n').findIndex((text, line) => text !== lineOf(known, line));
  console.error(`openapi.json is not what the sources describe. Run \`npm run openapi\` and commit the file.
First difference, line ${first + 1}:
  checked in: ${lineOf(known, first)}
  described:  ${lineOf(described, first)}`);
  process.exitCode = 1;
}
