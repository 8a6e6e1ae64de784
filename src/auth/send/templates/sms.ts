/** GSM 03.38: one SMS holds 160 characters of the basic alphabet, and more are billed as several. */
export const maxSmsCharacters = 160;

/**
 * Texts of an SMS, the best first: the first that fits into one SMS is sent. The last line of the best binds the code
 * to the site, so that phones fill it in there and nowhere else (https://wicg.github.io/sms-one-time-codes/).
 */
const bound =
  'Your {{site}} {{what}} is {{code}}. It works for {{validFor}}. Tell it to nobody.\n\n@{{domain}} #{{code}}';
const named = 'Your {{site}} {{what}} is {{code}}. It works for {{validFor}}. Tell it to nobody.';
const bare = 'Your {{what}} is {{code}}. It works for {{validFor}}. Tell it to nobody.';

export const smsTexts = { bound, named, bare } as const;

/** What the code is called, by the type of message that goes out by SMS. */
export const smsCodeNames = { signup: 'sign-up code', sms: 'code' } as const;
