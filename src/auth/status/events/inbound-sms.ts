import { Injectable } from '@nestjs/common';
import { Clock } from '../../../clock.js';
import { Config } from '../../../config.js';
import { Transaction } from '../../../database/transaction.js';
import { Log } from '../../../log.js';
import { orUnavailable } from '../../unavailable.js';
import { SuppressionList } from '../suppression-list.js';
import { helpText, keywordIn, type SmsKeyword } from './sms-keyword.js';

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
      (await orUnavailable(() => this.transaction.run(() => this.obey(keyword, provider, eventId, from))));
    this.log.info(
      { event: 'sms_keyword', provider, keyword, result: isNew ? 'applied' : 'repeated' },
      'SMS keyword',
    );
    return keyword === 'help' ? helpText(new URL(this.config.siteUrl).host) : null;
  }

  private async obey(
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
