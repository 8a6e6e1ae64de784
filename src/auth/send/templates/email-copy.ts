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
  /** What to do when it was somebody else. */
  readonly ifNotYou: string;
}
