import type { EmailCopy } from './email-copy.js';

export const emailChangeEmail: EmailCopy = {
  subject: 'Confirm your new email address for {{site}}',
  heading: 'Confirm your new email address',
  intro: 'Your account at {{site}} is to use {{to}} from now on. Confirm that this address is yours.',
  action: 'Confirm new address',
  ifNotYou:
    'If you did not ask for this change, ignore this message. The account keeps its old address until this one is confirmed.',
};
