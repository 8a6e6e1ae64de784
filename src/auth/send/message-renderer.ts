import { isIP } from 'node:net';
import { Injectable } from '@nestjs/common';
import Handlebars from 'handlebars';
import { Config } from '../../config/config.js';
import { Clock } from '../../platform/clock.js';
import { messageIdOf } from '../../platform/ids.js';
import type { Channel, ConfirmationType } from '../messages/confirmation-type.js';
import type { ClaimedMessage } from '../messages/delivery.js';
import { StopLinks } from '../messages/stop-links.js';
import type { OutgoingMessage } from '../messages/notification-provider.js';
import type { MintedToken } from '../tokens/token-mint.js';
import {
  emailChangeEmail,
  type EmailCopy,
  htmlLayout,
  magiclinkEmail,
  maxSmsCharacters,
  recoveryEmail,
  signupEmail,
  smsCodeNames,
  smsTexts,
  textLayout,
} from './templates.js';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/**
 * A duration as people say it, rounded down: `10 minutes`, `24 hours`, `7 days`. A secret that was made a moment ago
 * still has its whole life; up to five seconds are forgiven.
 */
export function inWords(exactMs: number): string {
  const ms = exactMs + Math.min(5_000, exactMs / 100);
  if (ms >= 2 * dayMs) return counted(ms / dayMs, 'day');
  if (ms >= 2 * hourMs) return counted(ms / hourMs, 'hour');
  if (ms >= hourMs && ms < hourMs + minuteMs) return counted(1, 'hour');
  if (ms >= minuteMs) return counted(ms / minuteMs, 'minute');
  return counted(Math.max(ms, 1_000) / 1_000, 'second');
}

function counted(amount: number, unit: string): string {
  const whole = Math.floor(amount);
  return `${whole} ${unit}${whole === 1 ? '' : 's'}`;
}

export interface MessageContent {
  /** The address that the message goes to. */
  readonly to: string;
  /** What a click opens; an SMS has none. */
  readonly link: string | null;
  /** Where mails of this type are stopped; an SMS has none. */
  readonly stopLink: string | null;
  /** Six or eight digits; empty in a mail that brings its link alone. */
  readonly code: string;
  /** How long link and code will work, in milliseconds. */
  readonly validForMs: number;
}

export type RenderedMessage = Pick<OutgoingMessage, 'subject' | 'text' | 'html'>;

type EmailType = Exclude<ConfirmationType, 'sms'>;
type SmsType = keyof typeof smsCodeNames;
type Template = (values: Readonly<Record<string, string>>) => string;

const emailCopies: Readonly<Record<EmailType, EmailCopy>> = {
  signup: signupEmail,
  recovery: recoveryEmail,
  magiclink: magiclinkEmail,
  email_change: emailChangeEmail,
};

/** Turns a secret into what a person reads. All templates are compiled at the start; a broken one stops it. */
@Injectable()
export class MessageRenderer {
  private readonly emails: Readonly<Record<EmailType, Record<keyof RenderedMessage, Template>>>;
  private readonly smsTemplates: readonly Template[];
  private readonly site: string;
  private readonly domain: string;

  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly stopLinks: StopLinks,
  ) {
    const { host, hostname } = new URL(config.siteUrl);
    this.site = host;
    this.domain = hostname;
    this.emails = mapValues(emailCopies, (copy) => ({
      subject: compiled(copy.subject, copy, { escape: false }),
      text: compiled(textLayout, copy, { escape: false }),
      html: compiled(htmlLayout, copy, { escape: true }),
    }));
    // A code can be bound to a domain, not to an IP address.
    const canBind = isIP(hostname.replace(/^\[|\]$/g, '')) === 0;
    const texts = [...(canBind ? [smsTexts.bound] : []), smsTexts.named, smsTexts.bare];
    this.smsTemplates = texts.map((text) => compiled(text, null, { escape: false }));
  }

  /** The finished message with this secret, on its way to the address. */
  compose(message: ClaimedMessage, to: string, { link, code, expiresAt }: MintedToken): OutgoingMessage {
    const content = this.render(message.type, message.channel, {
      to,
      link: link === null ? null : this.linkUrl(message, link),
      stopLink: link === null ? null : this.stopUrl(message, to),
      code,
      validForMs: expiresAt.getTime() - this.clock.now(),
    });
    return { messageId: messageIdOf(message.id), to, ...content };
  }

  /**
   * Subject, text and HTML of a mail, or the text of an SMS (then the others are empty).
   * @throws RangeError when the type does not go over the channel, or what it must have is missing: faults of the caller
   */
  render(type: ConfirmationType, channel: Channel, content: MessageContent): RenderedMessage {
    const validFor = inWords(content.validForMs);
    const values = {
      to: content.to,
      code: content.code,
      site: this.site,
      domain: this.domain,
      validFor,
    };
    if (channel === 'sms' && content.code === '') throw new RangeError('An SMS needs a code');
    if (channel === 'sms' && isSmsType(type)) return { subject: '', text: this.sms(type, values), html: '' };
    if (channel === 'sms' || type === 'sms') throw new RangeError(`${type} has no template for ${channel}`);
    const { link, stopLink } = content;
    if (link === null || stopLink === null) throw new RangeError('A mail needs its links');
    const { subject, text, html } = this.emails[type];
    const withLinks = { ...values, link, stopLink };
    return { subject: subject(withLinks), text: text(withLinks), html: html(withLinks) };
  }

  private linkUrl({ type, redirectTo }: ClaimedMessage, token: string): string {
    const { publicUrl, siteUrl } = this.config;
    const url = new URL(`${publicUrl}/verify`);
    url.searchParams.set('token', token);
    url.searchParams.set('type', type);
    url.searchParams.set('redirect_to', redirectTo ?? siteUrl);
    return url.href;
  }

  private stopUrl({ type, id }: ClaimedMessage, to: string): string {
    return `${this.config.publicUrl}/stop?token=${this.stopLinks.tokenFor(type, id, to)}`;
  }

  private sms(type: SmsType, values: Readonly<Record<string, string>>): string {
    const texts = this.smsTemplates.map((template) => template({ ...values, what: smsCodeNames[type] }));
    return texts.find((text) => text.length <= maxSmsCharacters) ?? texts.at(-1) ?? '';
  }
}

/**
 * `strict`: a placeholder without a value is an error and not a gap in a sentence. `ignoreStandalone`: a line break
 * after a placeholder is meant.
 */
function compiled(template: string, partials: EmailCopy | null, { escape }: { escape: boolean }): Template {
  const engine = Handlebars.create();
  const options = { strict: true, ignoreStandalone: true, noEscape: !escape };
  for (const [name, copy] of Object.entries(partials ?? {})) {
    engine.registerPartial(name, engine.compile(copy, options));
  }
  return engine.compile(template, options);
}

function isSmsType(type: ConfirmationType): type is SmsType {
  return type in smsCodeNames;
}

function mapValues<K extends string, V, W>(
  record: Readonly<Record<K, V>>,
  map: (value: V) => W,
): Record<K, W> {
  const entries = (Object.entries(record) as [K, V][]).map(([key, value]) => [key, map(value)]);
  return Object.fromEntries(entries) as Record<K, W>;
}
