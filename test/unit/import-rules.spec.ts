import { execFile } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
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

/** What `npm run imports` would find in the tree. That it finds nothing in the sources, it says itself. */
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

  describe('about imports as they are written', () => {
    const breaches: [rule: string, file: string, imports: string][] = [
      ['only-the-worker-sends', 'src/auth/outbox/outbox.ts', '../send/resend.service.js'],
      ['a-vendor-stands-alone', 'src/auth/vendors/smtp/smtp.provider.ts', '../twilio/twilio-sms.provider.js'],
      [
        'a-vendor-stands-alone',
        'src/auth/vendors/ses/ses-events.controller.ts',
        '../../send/message-renderer.js',
      ],
      ['only-the-list-names-a-vendor', 'src/auth/auth.entities.ts', './vendors/ses/ses-events.controller.js'],
      ['no-arrow-upwards-from-config', 'src/config/readers.ts', '../platform/ids.js'],
      ['no-arrow-upwards-from-platform', 'src/platform/clock.ts', '../http/client-ip.js'],
      ['no-arrow-upwards-from-http', 'src/http/client-ip.ts', '../pages/language.js'],
      ['no-arrow-upwards-from-pages', 'src/pages/language.ts', '../openapi/description.js'],
      ['no-arrow-upwards-from-database', 'src/database/transaction.ts', '../auth/auth.entities.js'],
      [
        'no-arrow-upwards-from-housekeeping',
        'src/housekeeping/housekeeping.ts',
        '../database/transaction.js',
      ],
      ['no-arrow-upwards-from-openapi', 'src/openapi/components.ts', '../rate-limit/quota.js'],
      ['no-arrow-upwards-from-rate-limit', 'src/rate-limit/quota.ts', '../auth/requests/address.dto.js'],
      ['no-arrow-upwards-from-auth-messages', 'src/auth/messages/user.ts', '../requests/address.dto.js'],
      [
        'no-arrow-upwards-from-auth-requests',
        'src/auth/requests/address.dto.ts',
        '../users/users.repository.js',
      ],
      [
        'no-arrow-upwards-from-auth-users',
        'src/auth/users/users.repository.ts',
        '../tokens/token.service.js',
      ],
      ['no-arrow-upwards-from-auth-tokens', 'src/auth/tokens/token.service.ts', '../reports/event.guard.js'],
      ['no-arrow-upwards-from-auth-sms-abuse', 'src/auth/sms-abuse/number-cap.ts', '../send/failover.js'],
      ['no-arrow-upwards-from-auth-reports', 'src/auth/reports/report-fields.ts', '../send/failover.js'],
      ['no-arrow-upwards-from-auth-send', 'src/auth/send/failover.ts', '../outbox/outbox.js'],
      [
        'no-arrow-upwards-from-auth-vendors',
        'src/auth/vendors/ses/ses-events.controller.ts',
        '../../outbox/outbox.js',
      ],
      ['no-arrow-upwards-from-auth-outbox', 'src/auth/outbox/message-queue.ts', '../accept/resend.dto.js'],
      ['no-arrow-upwards-from-auth-accept', 'src/auth/accept/resend.dto.ts', '../verify/verify.dto.js'],
      ['no-arrow-upwards-from-auth-verify', 'src/auth/verify/verify.dto.ts', '../signup/sign-up.dto.js'],
      ['no-arrow-upwards-from-auth-signup', 'src/auth/signup/sign-up.dto.ts', '../auth.module.js'],
      ['no-arrow-upwards-from-auth-ts-', 'src/auth/auth.entities.ts', '../admin/query.fields.js'],
      ['no-arrow-upwards-from-admin', 'src/admin/query.fields.ts', '../inbox/inbox.js'],
      ['no-arrow-upwards-from-inbox', 'src/inbox/inbox.ts', '../app.setup.js'],
      ['src-never-imports-tests', 'src/platform/ids.ts', '../../test/support/start-app.js'],
      ['src-imports-what-is-shipped', 'src/platform/keyed-hash.ts', 'supertest'],
      ['no-unresolvable', 'src/main.ts', './nowhere.js'],
      ['no-cycles', 'src/auth/users/users.repository.ts', './typeorm-users.repository.js'],
      ['no-arrow-to-the-parent-folder', 'src/auth/accept/captcha/altcha.verifier.ts', '../resend.openapi.js'],
      ['no-orphans', 'src/auth/verify/forgotten.ts', './verify.service.js'],
    ];
    let found: Violation[];

    beforeAll(async () => {
      tree = treeWith({});
      for (const [, file, imports] of breaches) {
        appendFileSync(join(tree, file), `\nexport type * from '${imports}';\n`);
      }
      appendFileSync(join(tree, 'src/platform/keyed-hash.ts'), "import 'supertest';\n");
      found = await violations(tree, written);
    });

    afterAll(() => rmSync(tree, { recursive: true }));

    it.each(breaches)('%s catches %s when it imports %s', (rule, file) => {
      // A cycle is reported at one of its files.
      const ends = found.filter(({ rule: { name } }) => name === rule).flatMap(({ from, to }) => [from, to]);
      expect(ends).toContain(file);
    });
  });

  it('let a vendor go with its folder and its place in the list', async () => {
    tree = treeWith({});
    const list = join(tree, 'src/auth/vendors/vendors.ts');
    let text = readFileSync(list, 'utf8');
    for (const vendor of ['twilio', 'vonage', 'ses', 'postmark', 'sendgrid']) {
      rmSync(join(tree, 'src/auth/vendors', vendor), { recursive: true });
      text = text
        .replace(new RegExp(`^import .*/${vendor}/.*\\n`, 'm'), '')
        .replace(new RegExp(`\\b${vendor}, |, ${vendor}(?=\\])`), '');
    }
    expect(text).toContain('= [webhook, smtp];');
    writeFileSync(list, text);
    expect(await violations(tree, written)).toEqual([]);
    rmSync(tree, { recursive: true });
  });

  describe('about what can be reached', () => {
    let found: Violation[];

    beforeAll(async () => {
      tree = treeWith({
        'src/auth/accept/throttler.guards.ts': "import '../users/users.repository.js';",
        'src/auth/requests/redirect-allow-list.ts': "import '../tokens/token.service.js';",
        'src/auth/accept/captcha/captcha-verifier.ts': "import '../../signup/sign-up.dto.js';",
        'src/auth/outbox/outbox.ts': "import './outbox.worker.js';",
        'src/auth/accept/idempotency/idempotency-keys.ts': "import '../../messages/suppression-list.js';",
        'src/auth/accept/captcha/captcha.guard.ts':
          "import { UserRegistration } from '../../users/users.repository.js';\n" +
          '@Injectable() export class Peeping { constructor(readonly users: UserRegistration) {} }',
        'src/auth/accept/idempotency/idempotency.openapi.ts':
          "import type { VerifyService } from '../../verify/verify.service.js';\nexport type Erased = VerifyService;",
      });
      found = await violations(tree, runtime);
    });

    afterAll(() => rmSync(tree, { recursive: true }));

    it.each([
      ['directly', 'src/auth/accept/throttler.guards.ts', 'src/auth/users/users.repository.ts'],
      ['by way of another file', 'src/auth/accept/resend.dto.ts', 'src/auth/tokens/token.service.ts'],
      ['by way of the outbox', 'src/auth/accept/resend.controller.ts', 'src/auth/send/resend.service.ts'],
      [
        'to a stage that nobody thought of',
        'src/auth/accept/captcha/captcha-verifier.ts',
        'src/auth/signup/sign-up.dto.ts',
      ],
      [
        'to the suppression list',
        'src/auth/accept/idempotency/idempotency-keys.ts',
        'src/auth/messages/suppression-list.ts',
      ],
      [
        'by injection alone',
        'src/auth/accept/captcha/captcha.guard.ts',
        'src/auth/users/users.repository.ts',
      ],
    ])('the accepting stage is caught when it reaches further %s', (_how, from, to) => {
      expect(found).toContainEqual(
        expect.objectContaining({ rule: expect.objectContaining({ name: 'accept-is-blind' }), from, to }),
      );
    });

    it('a type, which the compiler erases, does not count', () => {
      expect(found.map(({ from }) => from)).not.toContain(
        'src/auth/accept/idempotency/idempotency.openapi.ts',
      );
    });
  });
});
