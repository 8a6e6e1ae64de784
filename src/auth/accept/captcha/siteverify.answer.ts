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
export function readSiteverifyAnswer(text: string): SiteverifyAnswer | null {
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
