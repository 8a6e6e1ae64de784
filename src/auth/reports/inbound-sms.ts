import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock.js';
import { Config } from '../../config/config.js';
import { Transaction } from '../../database/transaction.js';
import { Log } from '../../platform/log.js';
import { orUnavailable } from '../../http/api-error.js';
import { SuppressionList } from '../messages/suppression-list.js';

/**
 * An SMS with which a person opted out or in again: kept so that the same SMS, reported twice or replayed by an attacker
 * who caught the report, has no second effect. Whose it was does not stand here.
 */
@Entity('sms_keywords')
@Check('sms_keywords_keyword', `keyword IN ('stop', 'start')`)
export class SmsKeywordEntity {
  @PrimaryColumn('text') provider: string;
  /** The provider's name for the SMS. */
  @PrimaryColumn('text', { name: 'event_id' }) eventId: string;
  @Column('text') keyword: 'stop' | 'start';
  @Index('sms_keywords_received_at')
  @Column('timestamptz', { name: 'received_at' })
  receivedAt: Date;
}

export type SmsKeyword = 'stop' | 'start' | 'help';

/**
 * What carriers and vendors take for an opt-out and for the way back (CTIA Messaging Principles, 5.1.2; Twilio's list with
 * its additions of 2025), and the same in German.
 */
const words: Readonly<Record<SmsKeyword, readonly string[]>> = {
  stop: 'STOP STOPALL UNSUBSCRIBE CANCEL END QUIT REVOKE OPTOUT STOPP ABMELDEN'.split(' '),
  start: 'START YES UNSTOP'.split(' '),
  help: 'HELP INFO HILFE'.split(' '),
};

/** What an SMS asks for when it is one keyword and nothing else; case, spaces and a full stop do not matter. */
export function keywordIn(text: string): SmsKeyword | null {
  if (text.length > 100) return null;
  const word = text.replace(/[\s"'.!]+/g, '').toUpperCase();
  const found = (Object.keys(words) as SmsKeyword[]).find((keyword) => words[keyword].includes(word));
  return found ?? null;
}

/** What HELP is answered with; plain letters, so that it is one SMS. */
export function helpText(site: string): string {
  return `${site} sends codes to this number when somebody asks for one there. Reply STOP to get none, START to get them again.`;
}

interface ReceivedSms {
  readonly provider: string;
  /** The provider's name for the SMS. */
  readonly eventId: string | null;
  /** The number it came from, in the normal form. */
  readonly from: string | null;
  readonly text: string;
}

const remember = `
  INSERT INTO sms_keywords (provider, event_id, keyword, received_at) VALUES ($1, $2, $3, $4)
  ON CONFLICT (provider, event_id) DO NOTHING
  RETURNING event_id`;

/** What people write back to the number that sends the codes. */
@Injectable()
export class InboundSms {
  constructor(
    private readonly transaction: Transaction,
    private readonly suppressions: SuppressionList,
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /**
   * Opts the number out, or in again. START takes back a STOP and nothing else: who complained stays left alone.
   * @returns what to answer the person; null is nothing
   * @throws ApiError 503 `unavailable` when it could not be written down; then the provider must tell it again
   */
  async receive({ provider, eventId, from, text }: ReceivedSms): Promise<string | null> {
    const keyword = keywordIn(text);
    if (keyword === null || from === null || eventId === null) return null;
    const isNew =
      keyword === 'help' ||
      (await orUnavailable(() => this.transaction.run(() => this.apply(keyword, provider, eventId, from))));
    this.log.info(
      { event: 'sms_keyword', provider, keyword, result: isNew ? 'applied' : 'repeated' },
      'SMS keyword',
    );
    return keyword === 'help' ? helpText(new URL(this.config.siteUrl).host) : null;
  }

  private async apply(
    keyword: Exclude<SmsKeyword, 'help'>,
    provider: string,
    eventId: string,
    from: string,
  ): Promise<boolean> {
    const row = [provider, eventId, keyword, new Date(this.clock.now())];
    const isNew = (await this.transaction.manager.query<unknown[]>(remember, row)).length > 0;
    if (!isNew) return false;
    if (keyword === 'stop') await this.suppressions.add('sms', from, 'opt_out');
    else await this.suppressions.lift('sms', from, 'opt_out');
    return true;
  }
}
