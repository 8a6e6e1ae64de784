import { execFile } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const root = join(__dirname, '../..');
const written = '.dependency-cruiser.cjs';
const runtime = '.dependency-cruiser.runtime.cjs';

interface Violation {
  rule: { name: string };
  from: string;
  to: string;
}

/** What `npm run imports` finds in the tree. */
async function violations(tree: string, config: string): Promise<Violation[]> {
  const cruiser = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const args = [cruiser, 'src', '--config', join(root, config), '--output-type', 'json'];
  // It ends with an error when there are violations; what it found is printed all the same.
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: tree,
    maxBuffer: 2 ** 26,
  }).catch((failure: unknown) => failure as { stdout: string });
  const { summary } = JSON.parse(stdout) as { summary: { totalCruised: number; violations: Violation[] } };
  expect(summary.totalCruised).toBeGreaterThan(50);
  return summary.violations;
}

/**
 * A copy of the real sources with lines added to its files. They are the real ones, so that a rule whose pattern
 * names a file that was renamed meanwhile fails here.
 */
function treeWith(additions: Record<string, string>): string {
  const tree = mkdtempSync(join(tmpdir(), `strike_auth_test-${Date.now()}-imports-`));
  for (const name of ['src', 'package.json', 'tsconfig.json']) {
    cpSync(join(root, name), join(tree, name), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'), 'junction');
  mkdirSync(join(tree, 'test/support'), { recursive: true });
  writeFileSync(join(tree, 'test/support/start-app.ts'), 'export const startApp = 1;\n');
  for (const [file, text] of Object.entries(additions)) appendFileSync(join(tree, file), `\n${text}\n`);
  return tree;
}

describe('the import rules', () => {
  let tree: string;

  describe.each([written, runtime])('in %s', (config) => {
    it('find nothing wrong with the sources', async () => {
      expect(await violations(root, config)).toEqual([]);
    });
  });

  describe('about imports as they are written', () => {
    const breaches: [rule: string, file: string, imports: string][] = [
      ['only-the-worker-sends', 'src/auth/outbox/outbox.ts', '../send/resend.service.js'],
      ['providers-are-leaves', 'src/auth/send/providers/smtp.provider.ts', '../message-renderer.js'],
      ['users-import-no-stage', 'src/auth/users/users.repository.ts', '../outbox/delivery.js'],
      ['tokens-import-no-stage', 'src/auth/tokens/token.service.ts', '../outbox/delivery.js'],
      ['operators-look-on', 'src/auth/verify/verify.service.ts', '../../admin/service-keys.js'],
      ['src-never-imports-tests', 'src/message-id.ts', '../test/support/start-app.js'],
      ['src-imports-what-is-shipped', 'src/keyed-hash.ts', 'supertest'],
      ['no-unresolvable', 'src/announce.ts', './nowhere.js'],
      ['no-cycles', 'src/auth/users/user.ts', './user.entity.js'],
      ['no-orphans', 'src/auth/verify/forgotten.ts', './verify.service.js'],
    ];
    let found: Violation[];

    beforeAll(async () => {
      tree = treeWith(
        Object.fromEntries(breaches.map(([, file, imports]) => [file, `export type * from '${imports}';`])),
      );
      appendFileSync(join(tree, 'src/keyed-hash.ts'), "import 'supertest';\n");
      found = await violations(tree, written);
    });

    afterAll(() => rmSync(tree, { recursive: true }));

    it.each(breaches)('%s catches %s when it imports %s', (rule, file) => {
      // A cycle is reported at one of its files.
      const ends = found.filter(({ rule: { name } }) => name === rule).flatMap(({ from, to }) => [from, to]);
      expect(ends).toContain(file);
    });
  });

  describe('about what can be reached', () => {
    let found: Violation[];

    beforeAll(async () => {
      tree = treeWith({
        'src/auth/accept/client-ip.ts': "import '../users/users.repository.js';",
        'src/auth/redirect-allow-list.ts': "import './tokens/token.service.js';",
        'src/auth/accept/captcha-token.ts': "import '../signup/password.js';",
        'src/auth/outbox/outbox.ts': "import './outbox.worker.js';",
        'src/auth/accept/captcha.guard.ts':
          "import { UserRegistration } from '../users/user-registration.js';\n" +
          '@Injectable() export class Peeping { constructor(readonly users: UserRegistration) {} }',
        'src/auth/accept/rate-limit-headers.ts':
          "import type { VerifyService } from '../verify/verify.service.js';\nexport type Erased = VerifyService;",
      });
      found = await violations(tree, runtime);
    });

    afterAll(() => rmSync(tree, { recursive: true }));

    it.each([
      ['directly', 'src/auth/accept/client-ip.ts', 'src/auth/users/users.repository.ts'],
      ['by way of another file', 'src/auth/accept/resend-body.guard.ts', 'src/auth/tokens/token.service.ts'],
      ['by way of the outbox', 'src/auth/accept/resend.controller.ts', 'src/auth/send/resend.service.ts'],
      [
        'to a stage that nobody thought of',
        'src/auth/accept/captcha-token.ts',
        'src/auth/signup/password.ts',
      ],
      ['by injection alone', 'src/auth/accept/captcha.guard.ts', 'src/auth/users/user-registration.ts'],
    ])('the accepting stage is caught when it reaches further %s', (_how, from, to) => {
      expect(found).toContainEqual(
        expect.objectContaining({ rule: expect.objectContaining({ name: 'accept-is-blind' }), from, to }),
      );
    });

    it('a type, which the compiler erases, does not count', () => {
      expect(found.map(({ from }) => from)).not.toContain('src/auth/accept/rate-limit-headers.ts');
    });
  });
});
