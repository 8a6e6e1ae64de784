/** The languages of the pages; the first is the fallback. */
export const languages = ['en', 'de'] as const;
export type Language = (typeof languages)[number];

/**
 * The language that a browser's `Accept-Language` asks for (RFC 9110, section 12.5.4), as far as there is one: of those
 * with the highest weight the first, by their primary subtags (`de-AT` is served by `de`).
 */
export function preferredLanguage(acceptLanguage = ''): Language {
  let best: { language: Language; weight: number } | undefined;
  for (const range of acceptLanguage.split(',')) {
    const [tag = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const language = tag === '*' ? languages[0] : languages.find((it) => it === tag.split('-')[0]);
    const weight = weightIn(parameters);
    if (language !== undefined && weight > (best?.weight ?? 0)) best = { language, weight };
  }
  return best?.language ?? languages[0];
}

/** Between 0, which is "not this one", and 1; what is malformed counts for nothing. */
function weightIn(parameters: readonly string[]): number {
  const given = parameters.find((parameter) => parameter.startsWith('q='));
  if (given === undefined) return 1;
  return /^q=(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(given) ? Number(given.slice(2)) : 0;
}
