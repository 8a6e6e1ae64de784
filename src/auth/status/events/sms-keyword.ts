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
