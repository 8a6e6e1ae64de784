import { isIP } from 'node:net';
import { Logger } from '@nestjs/common';
import type { CaptchaVendor } from '../../../config/config.js';
import { readAtMost } from '../../../http/bounded-body.js';
import type { Clock } from '../../../platform/clock.js';
import {
  type CaptchaContext,
  captchaMaxAgeMs,
  captchaUnavailable,
  CaptchaVerifier,
} from './captcha-verifier.js';

/** What a vendor says of a token, in the form that hCaptcha, Turnstile and reCAPTCHA share. */
export interface SiteverifyAnswer {
  readonly success: boolean;
  /** Why it is refused, or what is wrong with the question. */
  readonly errorCodes: readonly string[];
  readonly hostname: string | undefined;
  /** Undefined when the widget was told none. */
  readonly action: string | undefined;
  readonly score: number | undefined;
  /** When the challenge was solved, in milliseconds since the Unix epoch. */
  readonly solvedAt: number | undefined;
}

/** Null when the text is no such answer. */
function readSiteverifyAnswer(text: string): SiteverifyAnswer | null {
  const fields = jsonObject(text);
  if (typeof fields?.['success'] !== 'boolean') return null;
  const codes: unknown[] = Array.isArray(fields['error-codes']) ? fields['error-codes'] : [];
  const score = fields['score'];
  const solvedAt = Date.parse(textOf(fields['challenge_ts']));
  return {
    success: fields['success'],
    errorCodes: codes.filter((code) => typeof code === 'string'),
    hostname: textOf(fields['hostname']) || undefined,
    action: textOf(fields['action']) || undefined,
    score: typeof score === 'number' ? score : undefined,
    solvedAt: Number.isNaN(solvedAt) ? undefined : solvedAt,
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function jsonObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** In what the vendors' answers differ. */
export interface SiteverifyVendor {
  readonly url: string;
  /** What stands for a hostname that the vendor keeps to itself. */
  readonly withheldHostname?: string;
  /** Its answers always name an action and a score; without, the token is of another kind. */
  readonly alwaysScores: boolean;
  /** Its score says how likely the client is a program, and not a person. */
  readonly scoreIsRisk: boolean;
}

const urlOfRecaptcha = 'https://www.google.com/recaptcha/api/siteverify';

const siteverifyVendors: Readonly<Record<CaptchaVendor, SiteverifyVendor>> = {
  // https://docs.hcaptcha.com/#verify-the-user-response-server-side: while a site has unusually many challenges the
  // hostname is "not-provided"; scores are for customers of the Enterprise plan.
  hcaptcha: {
    url: 'https://api.hcaptcha.com/siteverify',
    withheldHostname: 'not-provided',
    alwaysScores: false,
    scoreIsRisk: true,
  },
  // https://developers.cloudflare.com/turnstile/get-started/server-side-validation/: the action is the widget's, if any.
  turnstile: {
    url: 'https://challenges.cloudflare.com/turnstile/v0/siteverify',
    alwaysScores: false,
    scoreIsRisk: false,
  },
  // https://developers.google.com/recaptcha/docs/verify
  'recaptcha-v2': { url: urlOfRecaptcha, alwaysScores: false, scoreIsRisk: false },
  // https://developers.google.com/recaptcha/docs/v3#site_verify_response
  'recaptcha-v3': { url: urlOfRecaptcha, alwaysScores: true, scoreIsRisk: false },
};

/** How long a vendor may take, in milliseconds. Four of them take less than an idempotency key is held for. */
const timeoutOfVendorMs = 5_000;
/** How sure a vendor that gives scores must be that it is a person; 1 is certain. */
const minScore = 0.5;
const maxAnswerBytes = 16 * 1024;

/** Codes that say nothing of the token: our secret is wrong, or the vendor is in trouble. */
const notTheToken = new Set(['missing-input-secret', 'invalid-input-secret', 'internal-error']);

interface SiteverifySettings {
  readonly name: CaptchaVendor;
  readonly secret: string;
}

/**
 * hCaptcha, Turnstile and reCAPTCHA, which share a wire: a form with `secret`, `response` and `remoteip` is posted, and
 * JSON comes back. The vendors see to it that a token is good once.
 */
export class SiteverifyVerifier extends CaptchaVerifier {
  private readonly logger = new Logger(SiteverifyVerifier.name);
  private readonly vendor: SiteverifyVendor;

  constructor(
    private readonly settings: SiteverifySettings,
    /** Of the pages that show the captcha. */
    private readonly hostnames: readonly string[],
    private readonly clock: Clock,
    private readonly timeoutMs = timeoutOfVendorMs,
    private readonly url = siteverifyVendors[settings.name].url,
  ) {
    super();
    this.vendor = siteverifyVendors[settings.name];
  }

  override async verify(token: string, context: CaptchaContext): Promise<boolean> {
    const answer = await this.ask(token, context.ip);
    const objection = this.objectionTo(answer, context.action);
    // What the vendor said of hostname or action is left out: a client can choose it.
    if (objection) this.logger.debug(`A token of ${this.settings.name} was refused: ${objection}`);
    return objection === null;
  }

  private async ask(token: string, ip: string): Promise<SiteverifyAnswer> {
    const { name, secret } = this.settings;
    const body = new URLSearchParams({ secret, response: token });
    if (isIP(ip)) body.set('remoteip', ip);
    const signal = AbortSignal.timeout(this.timeoutMs);
    let status: number;
    let text: string;
    try {
      // A redirect would carry the secret to an address that is not configured.
      const response = await fetch(this.url, { method: 'POST', body, redirect: 'manual', signal });
      status = response.status;
      text = await readAtMost(response, maxAnswerBytes);
    } catch (cause) {
      throw captchaUnavailable(
        `${name} ${signal.aborted ? 'did not answer in time' : 'cannot be reached'}`,
        cause,
      );
    }
    const answer = status === 200 || isRefusal(status) ? readSiteverifyAnswer(text) : null;
    // A refused question is an answer when it says so, never when it says yes.
    if (!answer || (status !== 200 && answer.success)) {
      throw captchaUnavailable(`${name} answered ${status} and nothing that can be used`);
    }
    const blamed = answer.errorCodes.find((code) => notTheToken.has(code));
    if (blamed !== undefined) throw captchaUnavailable(`${name} answered ${blamed}`);
    return answer;
  }

  /** Why the token is no good, or null. */
  private objectionTo(answer: SiteverifyAnswer, action: string): string | null {
    const { alwaysScores, scoreIsRisk, withheldHostname } = this.vendor;
    const { hostname, score } = answer;
    if (!answer.success) return 'the vendor says so';
    if (hostname === undefined || ![...this.hostnames, withheldHostname].includes(hostname))
      return 'the hostname';
    if (answer.action === undefined ? alwaysScores : answer.action !== action) return 'the action';
    if (score === undefined ? alwaysScores : (scoreIsRisk ? 1 - score : score) < minScore) return 'the score';
    if (answer.solvedAt === undefined || this.clock.now() - answer.solvedAt > captchaMaxAgeMs)
      return 'the age';
    return null;
  }
}

/** Client errors that come with the usual answer. 429 is none: it says nothing of the token. */
function isRefusal(status: number): boolean {
  return status >= 400 && status < 500 && status !== 429;
}
