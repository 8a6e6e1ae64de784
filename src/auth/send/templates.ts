/**
 * What a mail of one type says; where and how is the layout's business. Each field is a Handlebars template that may
 * use `{{site}}` (host of the site), `{{to}}` (the recipient) and `{{validFor}}` (such as `24 hours`).
 */
export interface EmailCopy {
  readonly subject: string;
  readonly heading: string;
  /** Who asked for what, and what to do now. */
  readonly intro: string;
  /** Label of the button. */
  readonly action: string;
  /** What to do when another person asked for it. */
  readonly ifNotYou: string;
}

export const signupEmail: EmailCopy = {
  subject: 'Confirm your email address for {{site}}',
  heading: 'Confirm your email address',
  intro:
    'An account was created at {{site}} with this address. Confirm that the address is yours, and you are in.',
  action: 'Confirm email address',
  ifNotYou:
    'If you did not create an account, ignore this message. Nobody can use your address there without confirming it.',
};

export const recoveryEmail: EmailCopy = {
  subject: 'Reset your password for {{site}}',
  heading: 'Reset your password',
  intro: 'A new password was asked for, for your account at {{site}}. Follow the link to choose one.',
  action: 'Reset password',
  ifNotYou:
    'If you did not ask for it, ignore this message: your password stays as it is. Do not pass the code on, whoever asks.',
};

export const magiclinkEmail: EmailCopy = {
  subject: 'Sign in to {{site}}',
  heading: 'Sign in',
  intro: 'A link to sign in to {{site}} without a password was asked for. Follow it, and you are signed in.',
  action: 'Sign in',
  ifNotYou:
    'If you did not ask for it, ignore this message: nobody gets in without it. Do not pass the link or the code on.',
};

export const emailChangeEmail: EmailCopy = {
  subject: 'Confirm your new email address for {{site}}',
  heading: 'Confirm your new email address',
  intro: 'Your account at {{site}} is to use {{to}} from now on. Confirm that this address is yours.',
  action: 'Confirm new address',
  ifNotYou:
    'If you did not ask for this change, ignore this message. The account keeps its old address until this one is confirmed.',
};

/**
 * The frame around every mail. No images, no tables, no remote content; colours are left to the mail program, so that
 * the dark theme stays dark, save for the button, whose two colours read well on both.
 */
export const htmlLayout = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{{> subject}}</title>
</head>
<body style="margin:0;padding:24px 16px;font-family:system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif;font-size:16px;line-height:1.5">
<div role="article" aria-label="{{> subject}}" style="max-width:520px;margin:0 auto">
<h1 style="font-size:24px;line-height:1.25;margin:0 0 16px">{{> heading}}</h1>
<p style="margin:0 0 24px">{{> intro}}</p>
<p style="margin:0 0 24px"><a href="{{link}}" style="display:inline-block;padding:12px 24px;border-radius:8px;background-color:#1a56db;color:#ffffff;font-weight:600;text-decoration:none">{{> action}}</a></p>
{{#if code}}<p style="margin:0 0 8px">Or enter this code where you were asked for it:</p>
<p style="margin:0 0 24px;font-family:ui-monospace,Menlo,Consolas,monospace;font-size:32px;line-height:1.25;font-weight:600;letter-spacing:0.15em">{{code}}</p>
<p style="margin:0 0 24px">The link and the code work for {{validFor}}, and only once.</p>
{{else}}<p style="margin:0 0 24px">The link works for {{validFor}}, and only once.</p>
{{/if}}<p style="margin:0 0 24px">{{> ifNotYou}}</p>
<hr style="border:0;border-top:1px solid #888888;margin:0 0 16px">
<p style="margin:0 0 16px;font-size:14px">If the button does not work, open this address:<br><a href="{{link}}" style="word-break:break-all">{{link}}</a></p>
<p style="margin:0;font-size:14px">Sent to {{to}} because {{site}} was asked for it. <a href="{{stopLink}}">Stop these mails</a></p>
</div>
</body>
</html>
`;

/** The link and the code have lines of their own: programs make the one clickable, people copy the other. */
export const textLayout = `{{> heading}}

{{> intro}}

{{> action}}:

{{link}}

{{#if code}}Or enter this code where you were asked for it:

{{code}}

The link and the code work for {{validFor}}, and only once.{{else}}The link works for {{validFor}}, and only once.{{/if}}

{{> ifNotYou}}

Sent to {{to}} because {{site}} was asked for it. Stop these mails:
{{stopLink}}
`;

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
