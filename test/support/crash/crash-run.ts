import { setTimeout as pause } from 'node:timers/promises';
import { createTestDatabase, type TestDatabase } from '../database.js';
import { eventually } from '../eventually.js';
import { type ServiceProcess, startService } from '../service-process.js';
import { type CrashRecord, isOpen, type Kill, type MessageRow } from './crash-record.js';
import { insertPeople, isPerson, Load, unlimited } from './load.js';
import { look, lookAtRemains } from './look.js';
import { RecordingSmtpServer } from './recording-smtp-server.js';

export type Role = 'all' | 'api' | 'worker';

const messages = `SELECT 'msg_' || replace(id::text, '-', '') AS id, recipient, status FROM messages`;
/** The longest time that is left between two kills, in mails and then in milliseconds: a machine may be slow or fast. */
const longestLife = { mails: 60, ms: 100 };
/** How long the mail server takes to answer at the longest. */
const slowestAnswerMs = 60;
/** How many starts in a row may end none of the messages that are left. */
const vainStarts = 3;

interface Member {
  readonly role: Role;
  /** Of this life of the process: `worker-1.7` is the seventh that was started, in the place of the first worker. */
  readonly name: string;
  readonly service: ServiceProcess;
}

/** Processes of the service under load, killed one at a time at random moments and started again. */
export class CrashRun {
  private readonly kills: Kill[] = [];
  private members: (Member | undefined)[] = [];
  private apiUrl = '';
  private starts = 0;

  private constructor(
    private readonly roles: readonly Role[],
    private readonly random: () => number,
    private readonly database: TestDatabase,
    private readonly smtp: RecordingSmtpServer,
  ) {}

  static async prepare(roles: readonly Role[], random: () => number): Promise<CrashRun> {
    const database = await createTestDatabase();
    await look(database, insertPeople);
    const smtp = await RecordingSmtpServer.start(() => random() * slowestAnswerMs);
    return new CrashRun(roles, random, database, smtp);
  }

  /** @returns what was seen, when every message that can be found has had its chance to end */
  async run(rounds: number): Promise<CrashRecord> {
    await this.startMissing();
    const load = new Load(
      () => this.apiUrl,
      this.random,
      () => this.smtp.arrivals.length,
    );
    try {
      for (let round = 0; round < rounds; round++) {
        await this.live();
        await this.killOne();
      }
      await this.live();
    } finally {
      await load.stop();
    }
    const rows = await this.finish();
    const { accepted, unexpectedAnswers } = load;
    return {
      accepted,
      unexpectedAnswers,
      kills: this.kills,
      arrivals: this.smtp.arrivals,
      rows,
      isKnown: isPerson,
    };
  }

  private async live(): Promise<void> {
    const mails = this.smtp.arrivals.length + Math.floor(this.random() * longestLife.mails);
    await eventually('mails', () => this.smtp.arrivals.length >= mails, 120_000);
    await pause(this.random() * longestLife.ms);
  }

  async cleanUp(): Promise<void> {
    await this.stopAll('SIGKILL');
    await this.smtp.stop();
    await this.database.drop();
  }

  private async killOne(): Promise<void> {
    const place = Math.floor(this.random() * this.members.length);
    const member = this.members[place];
    if (!member) throw new Error('Nobody to kill');
    this.members[place] = undefined;
    await member.service.kill('SIGKILL');
    const remains = await lookAtRemains<MessageRow>(this.database, `${messages} WHERE status = 'sending'`);
    await this.startMissing();
    const inFlight = new Set((await remains.rows).map(({ id }) => id));
    this.kills.push({ process: member.name, inFlight });
  }

  private async startMissing(): Promise<void> {
    for (const [place, role] of this.roles.entries()) this.members[place] ??= await this.start(role, place);
  }

  private async start(role: Role, place: number): Promise<Member> {
    const name = `${role}-${place}.${++this.starts}`;
    const service = await startService({
      ...this.database.env,
      ...unlimited,
      ROLE: role,
      SMTP_URL: this.smtp.urlFor(name),
    });
    if (role !== 'worker') this.apiUrl = service.url;
    return { role, name, service };
  }

  private async stopAll(signal: NodeJS.Signals): Promise<void> {
    const members = this.members;
    this.members = [];
    await Promise.all(members.map(async (member) => member?.service.kill(signal)));
  }

  /** What was in flight at the last kills is due when its lease runs out; a process that was told so sees to it. */
  private async finish(): Promise<MessageRow[]> {
    for (let vain = 0, left = Infinity; ;) {
      await this.stopAll('SIGTERM');
      const rows = await look<MessageRow>(this.database, messages);
      const open = rows.filter(isOpen);
      vain = open.length < left ? 0 : vain + 1;
      left = open.length;
      if (left === 0 || vain === vainStarts) return rows;
      await this.startMissing();
      await eventually(
        () => `an outcome for each of ${open.length} messages`,
        () => {
          const outcomes = this.outcomes();
          return open.every(({ id }) => outcomes.has(id));
        },
        120_000,
      ).catch(() => undefined); // the record will tell
    }
  }

  /** Messages of which the processes that run now have logged an outcome. */
  private outcomes(): Set<string> {
    const log = this.members.map((member) => member?.service.output() ?? '').join('\n');
    return new Set(
      [...log.matchAll(/"event":"delivery","messageId":"(msg_\w+)"/g)].map(([, id]) => id ?? ''),
    );
  }
}
