import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const root = join(__dirname, '../..');

const files: Record<string, string> = {
  'tsconfig.json': JSON.stringify({ extends: join(root, 'tsconfig.json'), include: ['src', 'test'] }),
  'package.json': JSON.stringify({ type: 'module' }),
  'src/body.ts': 'export class Body {\n  name = "";\n}\nexport interface Reply {\n  sent: boolean;\n}\n',
  'src/erased.controller.ts': `
    import { Body as FromBody, Controller, Post } from '@nestjs/common';
    import type { Body, Reply } from './body.js';
    @Controller()
    export class ErasedController {
      constructor(readonly body: Body | null) {}
      @Post() post(@FromBody() body: Body, reply: Reply): string { return body.name + String(reply.sent); }
    }
    export class Plain {
      constructor(readonly body: Body) {}
    }`,
  'src/environment.ts': 'export const port = process.env["PORT"];\n',
  'src/process-import.ts': "import { env } from 'node:process';\nexport const port = env['PORT'];\n",
  'src/time.ts': 'export const times = [Date.now(), new Date()];\n',
  'src/loose.ts': 'export function loose(value: any) {\n  console.log(value);\n}\n',
  'src/floating.ts': 'export function forget(work: () => Promise<void>) {\n  work();\n}\n',
  'src/long.ts': `export const long = [\n${'  1,\n'.repeat(250)}];\n`,
  'src/long-function.ts': `export function long() {\n${'  JSON.parse("1");\n'.repeat(60)}}\n`,
  'test/sleepy.spec.ts':
    'it("waits", async () => {\n  await new Promise((done) => setTimeout(done, 5));\n});\n',
  'test/timer.spec.ts':
    "import { setTimeout as sleep } from 'node:timers/promises';\nit('waits', () => sleep(5));\n",
};

describe('the lint rules', () => {
  let folder: string;
  /** The rules that each file breaks, once for each time. */
  let broken: Map<string, string[]>;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), `strike_auth_test-${Date.now()}-lint-`));
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction');
    const args = [
      join(root, 'node_modules/eslint/bin/eslint.js'),
      ...['--config', join(root, 'eslint.config.mjs'), '--format', 'json', 'src', 'test'],
    ];
    // It ends with an error because there is something to complain of; what it found is printed all the same.
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder }).catch(
      (failure: unknown) => failure as { stdout: string },
    );
    const results = JSON.parse(stdout) as { filePath: string; messages: { ruleId: string }[] }[];
    broken = new Map(
      results.map(({ filePath, messages }) => [
        filePath.slice(folder.length + 1),
        messages.map(({ ruleId }) => ruleId),
      ]),
    );
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  it('find a class that `import type` erases from decorated signatures, and only there', () => {
    const rule = 'house/no-erased-class-in-decorated-signature';
    const found = broken.get('src/erased.controller.ts')?.filter((name) => name === rule);
    // The constructor of the decorated class and the parameter; not the interface, not the undecorated class.
    expect(found).toHaveLength(2);
  });

  it.each([
    ['process.env outside of the configuration', 'src/environment.ts', 'no-restricted-syntax'],
    ['process.env under another name', 'src/process-import.ts', 'no-restricted-imports'],
    ['the system time', 'src/time.ts', 'no-restricted-syntax'],
    ['any', 'src/loose.ts', '@typescript-eslint/no-explicit-any'],
    ['console', 'src/loose.ts', 'no-console'],
    ['a promise that nobody waits for', 'src/floating.ts', '@typescript-eslint/no-floating-promises'],
    ['a long file', 'src/long.ts', 'max-lines'],
    ['a long function', 'src/long-function.ts', 'max-lines-per-function'],
    ['a test that sleeps', 'test/sleepy.spec.ts', 'no-restricted-syntax'],
    ['a test that imports a sleep', 'test/timer.spec.ts', 'no-restricted-imports'],
  ])('find %s', (_what, file, rule) => {
    expect(broken.get(file)).toContain(rule);
  });

  it('find nothing wrong with what is in order', () => {
    expect(broken.get('src/body.ts')).toEqual([]);
  });
});
