import { escapeHtml, htmlPage } from '../../pages/frame.js';
import type { Language } from '../../pages/language.js';
import type { ConfirmationType } from '../messages/confirmation-type.js';

type MailType = Exclude<ConfirmationType, 'sms'>;

interface Words {
  readonly title: string;
  readonly sentence: string;
  readonly button: string;
}

interface Texts {
  /** What mails of each type are called, as they stand in a sentence. */
  readonly mails: Readonly<Record<MailType, string>>;
  readonly stop: (mails: string) => Words;
  /** `day` is a date as it is written in the language. */
  readonly stopped: (mails: string, day: string) => Words;
  readonly invalid: Omit<Words, 'button'>;
  readonly unavailable: Omit<Words, 'button'>;
}

const texts: Readonly<Record<Language, Texts>> = {
  en: {
    mails: {
      signup: 'mails that confirm a sign-up',
      recovery: 'mails for a new password',
      magiclink: 'mails to sign in',
      email_change: 'mails that confirm a new address',
    },
    stop: (mails) => ({
      title: 'Stop these mails?',
      sentence: `For 30 days you will get no more ${mails} at this address, whoever asks for them. Links and codes that you have keep working. You can take it back on this page.`,
      button: 'Stop these mails',
    }),
    stopped: (mails, day) => ({
      title: 'These mails are stopped',
      sentence: `Until ${day} you get no ${mails} at this address.`,
      button: 'Let them come again',
    }),
    invalid: {
      title: 'This link is incomplete',
      sentence: 'Open the mail again and click the link in it, or copy the whole link into the address bar.',
    },
    unavailable: {
      title: 'This does not work just now',
      sentence: 'The fault is ours. Wait a moment, then open the link in the mail again.',
    },
  },
  de: {
    mails: {
      signup: 'E-Mails, die eine Registrierung bestätigen',
      recovery: 'E-Mails für ein neues Passwort',
      magiclink: 'E-Mails zum Anmelden',
      email_change: 'E-Mails, die eine neue Adresse bestätigen',
    },
    stop: (mails) => ({
      title: 'Keine solchen E-Mails mehr?',
      sentence: `30 Tage lang kommen an diese Adresse keine ${mails}, wer immer sie anfordert. Links und Codes, die Sie haben, gelten weiter. Auf dieser Seite können Sie es zurücknehmen.`,
      button: 'Keine solchen E-Mails mehr',
    }),
    stopped: (mails, day) => ({
      title: 'Diese E-Mails sind abgestellt',
      sentence: `Bis ${day} kommen an diese Adresse keine ${mails}.`,
      button: 'Wieder zulassen',
    }),
    invalid: {
      title: 'Dieser Link ist unvollständig',
      sentence:
        'Öffnen Sie die E-Mail noch einmal und klicken Sie auf den Link darin, oder kopieren Sie den ganzen Link in die Adresszeile.',
    },
    unavailable: {
      title: 'Das geht gerade nicht',
      sentence:
        'Der Fehler liegt bei uns. Warten Sie einen Moment und öffnen Sie dann den Link in der E-Mail noch einmal.',
    },
  },
};

interface StopForm {
  readonly token: string;
  readonly type: ConfirmationType;
  /** Until when the mails are stopped; null when they are not. */
  readonly until: Date | null;
}

/** One button: mail scanners open links, and what they open must change nothing. */
export function stopPage({ token, type, until }: StopForm, language: Language): string {
  const { mails, stop, stopped } = texts[language];
  // An SMS has no such link.
  const name = mails[type === 'sms' ? 'signup' : type];
  const { title, sentence, button } = until === null ? stop(name) : stopped(name, dayOf(until, language));
  return htmlPage({
    language,
    title,
    hasForm: true,
    body: `<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(sentence)}</p>
<form method="post" action="/stop">
<input type="hidden" name="token" value="${escapeHtml(token)}">
<input type="hidden" name="action" value="${until === null ? 'stop' : 'take_back'}">
<p><button type="submit">${escapeHtml(button)}</button></p>
</form>`,
  });
}

/** For links that were cut or made up: which of the two, nobody can tell. By the status of the answer. */
export function stopErrorPage(status: number, language: Language): string {
  const { title, sentence } = texts[language][status < 500 ? 'invalid' : 'unavailable'];
  return htmlPage({
    language,
    title,
    body: `<h1>${escapeHtml(title)}</h1>\n<p>${escapeHtml(sentence)}</p>`,
  });
}

function dayOf(date: Date, language: Language): string {
  return new Intl.DateTimeFormat(language, { dateStyle: 'long', timeZone: 'UTC' }).format(date);
}
