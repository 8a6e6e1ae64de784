import { setTimeout as pause } from 'node:timers/promises';

/** Limits that a load never reaches; they are checked all the same. */
export const unlimited = {
  LIMIT_IP: '9999999/10m',
  LIMIT_EMAIL: '9999999/5m',
  LIMIT_RECIPIENT: '9999999/24h',
};

const clients = 8;
const longestPauseMs = 40;
const people = 300;
const emailTypes = ['signup', 'recovery', 'magiclink'];

/** So many accepted messages that have not ended are enough: a slow machine would never be done with the rest. */
const longestQueue = 600;
const partForPeople = 0.8;

/** Rows for the people whom the load writes to. */
export const insertPeople = `
  INSERT INTO users (id, email, password_hash, created_at)
  SELECT gen_random_uuid(), 'person' || n || '@example.com', '-', now() FROM generate_series(1, ${people}) n`;

export const isPerson = (recipient: string) => recipient.startsWith('person');

/** Clients that ask for messages, one after another, until they are stopped. They bear it that nobody answers. */
export class Load {
  readonly accepted: string[] = [];
  readonly statuses = new Map<number, number>();
  /** `Retry-After` of every 503. */
  readonly retryAfters = new Set<string | null>();
  private stopping = false;
  private readonly running: Promise<unknown>;

  /**
   * @param url where the service is just now
   * @param delivered how many mails have arrived, if the load is to wait for them
   * @param further fields of each request
   */
  constructor(
    private readonly url: () => string,
    private readonly random: () => number,
    private readonly delivered: () => number = () => Infinity,
    private readonly further: () => object = () => ({}),
  ) {
    this.running = Promise.all(Array.from({ length: clients }, () => this.ask()));
  }

  answers(status: number): number {
    return this.statuses.get(status) ?? 0;
  }

  get unexpectedAnswers(): number[] {
    return [...this.statuses.keys()].filter((status) => status !== 200 && status !== 503);
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
  }

  private async ask(): Promise<void> {
    while (!this.stopping) {
      // Of those for nobody no mail tells that they have ended.
      const ended = this.delivered() / partForPeople;
      if (this.accepted.length - ended < longestQueue) await this.askOnce().catch(() => undefined);
      await pause(this.random() * longestPauseMs);
    }
  }

  private async askOnce(): Promise<void> {
    const number = Math.ceil(this.random() * people);
    const name = this.random() < partForPeople ? 'person' : 'nobody';
    const response = await fetch(`${this.url()}/resend`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({
        type: emailTypes[Math.floor(this.random() * emailTypes.length)],
        email: `${name}${number}@example.com`,
        ...this.further(),
      }),
    });
    // Counted before the body is read: a process may be killed between the two.
    this.statuses.set(response.status, this.answers(response.status) + 1);
    if (response.status === 503) this.retryAfters.add(response.headers.get('Retry-After'));
    const { message_id } = (await response.json()) as { message_id?: string };
    if (response.status === 200 && message_id !== undefined) this.accepted.push(message_id);
  }
}
