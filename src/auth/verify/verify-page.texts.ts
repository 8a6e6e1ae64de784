import type { Language } from '../../pages/language.js';
import type { LinkType } from './verify.dto.js';

interface Text {
  readonly title: string;
  readonly sentences: readonly string[];
}

/** All that the pages behind a link say, as plain text. `place` is a host, or what `app` returns. */
export interface VerifyTexts {
  readonly confirm: Readonly<Record<LinkType, Text & { readonly button: string }>>;
  /** Where the button leads, and what to do when it is not for the reader. */
  readonly beforeButton: (place: string) => string;
  readonly used: Readonly<Record<LinkType, Text>>;
  readonly goOn: (place: string) => string;
  readonly app: (scheme: string) => string;
  readonly invalid: Text;
  readonly incomplete: Text;
  readonly tooMany: Text;
  readonly unavailable: Text;
}

const en: VerifyTexts = {
  confirm: {
    signup: {
      title: 'Confirm your email address',
      sentences: ['One more click, and your account is confirmed.'],
      button: 'Confirm my address',
    },
    recovery: {
      title: 'Recover your account',
      sentences: ['One more click, and you are signed in and can choose a new password.'],
      button: 'Continue',
    },
    magiclink: {
      title: 'Sign in',
      sentences: ['One more click, and you are signed in.'],
      button: 'Sign me in',
    },
    email_change: {
      title: 'Confirm your new email address',
      sentences: ['One more click, and this address replaces the old one.'],
      button: 'Use this address',
    },
  },
  beforeButton: (place) =>
    `You will then be taken to ${place}. If you did not ask for this, close this page: nothing happens until you press the button.`,
  used: {
    signup: {
      title: 'Your email address is already confirmed',
      sentences: ['There is nothing left to do here. You can close this page.'],
    },
    recovery: {
      title: 'Your address is already confirmed',
      sentences: [
        'You have been let in with this mail, and its link works once. To choose a new password later, ask for a new mail.',
      ],
    },
    magiclink: {
      title: 'You have already signed in with this mail',
      sentences: ['Its link works once. To sign in again, ask for a new mail.'],
    },
    email_change: {
      title: 'Your new email address is already confirmed',
      sentences: ['There is nothing left to do here. You can close this page.'],
    },
  },
  goOn: (place) => `Go on to ${place}`,
  app: (scheme) => `the app that opens ${scheme} links`,
  invalid: {
    title: 'This link is no longer valid',
    sentences: [
      'Links work for a limited time. Ask for a new mail where you asked for this one, and click the link in the newest.',
      'If you have confirmed your address already, just sign in.',
    ],
  },
  incomplete: {
    title: 'This link is incomplete',
    sentences: [
      'Some mail programs break long links over two lines. Open the mail again and click the button in it, or copy the whole link into the address bar.',
      'You can also type the code from the same mail where you were asked to confirm, or ask there for a new message.',
    ],
  },
  tooMany: {
    title: 'Too many attempts',
    sentences: ['Wait a while and try again, or click the link in the mail: it is not affected.'],
  },
  unavailable: {
    title: 'This does not work just now',
    sentences: ['The fault is ours. Wait a moment, then open the link in the mail again.'],
  },
};

const de: VerifyTexts = {
  confirm: {
    signup: {
      title: 'E-Mail-Adresse bestätigen',
      sentences: ['Noch ein Klick, dann ist Ihr Konto bestätigt.'],
      button: 'Meine Adresse bestätigen',
    },
    recovery: {
      title: 'Konto wiederherstellen',
      sentences: ['Noch ein Klick, dann sind Sie angemeldet und können ein neues Passwort wählen.'],
      button: 'Weiter',
    },
    magiclink: {
      title: 'Anmelden',
      sentences: ['Noch ein Klick, dann sind Sie angemeldet.'],
      button: 'Jetzt anmelden',
    },
    email_change: {
      title: 'Neue E-Mail-Adresse bestätigen',
      sentences: ['Noch ein Klick, dann ersetzt diese Adresse die bisherige.'],
      button: 'Diese Adresse verwenden',
    },
  },
  beforeButton: (place) =>
    `Danach geht es weiter zu ${place}. Wenn Sie das nicht angefordert haben, schließen Sie diese Seite: Ohne den Klick auf die Schaltfläche geschieht nichts.`,
  used: {
    signup: {
      title: 'Ihre E-Mail-Adresse ist bereits bestätigt',
      sentences: ['Hier ist nichts mehr zu tun. Sie können diese Seite schließen.'],
    },
    recovery: {
      title: 'Ihre Adresse ist bereits bestätigt',
      sentences: [
        'Sie wurden mit dieser E-Mail eingelassen, und ihr Link gilt einmal. Um später ein neues Passwort zu wählen, fordern Sie eine neue E-Mail an.',
      ],
    },
    magiclink: {
      title: 'Mit dieser E-Mail haben Sie sich bereits angemeldet',
      sentences: ['Ihr Link gilt einmal. Um sich erneut anzumelden, fordern Sie eine neue E-Mail an.'],
    },
    email_change: {
      title: 'Ihre neue E-Mail-Adresse ist bereits bestätigt',
      sentences: ['Hier ist nichts mehr zu tun. Sie können diese Seite schließen.'],
    },
  },
  goOn: (place) => `Weiter zu ${place}`,
  app: (scheme) => `der App, die ${scheme}-Links öffnet`,
  invalid: {
    title: 'Dieser Link ist nicht mehr gültig',
    sentences: [
      'Links gelten nur eine begrenzte Zeit. Fordern Sie dort, wo Sie diese E-Mail angefordert haben, eine neue an, und klicken Sie auf den Link in der neuesten.',
      'Wenn Sie Ihre Adresse schon bestätigt haben, melden Sie sich einfach an.',
    ],
  },
  incomplete: {
    title: 'Dieser Link ist unvollständig',
    sentences: [
      'Manche E-Mail-Programme brechen lange Links um. Öffnen Sie die E-Mail noch einmal und klicken Sie auf die Schaltfläche darin, oder kopieren Sie den ganzen Link in die Adresszeile.',
      'Sie können auch den Code aus derselben E-Mail dort eingeben, wo Sie um die Bestätigung gebeten wurden, oder dort eine neue Nachricht anfordern.',
    ],
  },
  tooMany: {
    title: 'Zu viele Versuche',
    sentences: [
      'Warten Sie ein wenig und versuchen Sie es dann noch einmal, oder klicken Sie auf den Link in der E-Mail: Er gilt weiterhin.',
    ],
  },
  unavailable: {
    title: 'Das geht gerade nicht',
    sentences: [
      'Der Fehler liegt bei uns. Warten Sie einen Moment und öffnen Sie dann den Link in der E-Mail noch einmal.',
    ],
  },
};

/** Another language is another entry here, and its tag in `languages`. */
export const verifyTexts: Readonly<Record<Language, VerifyTexts>> = { en, de };
