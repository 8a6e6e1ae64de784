import type { EmailCopy } from './email-copy.js';

export const magiclinkEmail: EmailCopy = {
  subject: 'Sign in to {{site}}',
  heading: 'Sign in',
  intro: 'A link to sign in to {{site}} without a password was asked for. Follow it, and you are signed in.',
  action: 'Sign in',
  ifNotYou:
    'If you did not ask for it, ignore this message: nobody gets in without it. Do not pass the link or the code on.',
};
