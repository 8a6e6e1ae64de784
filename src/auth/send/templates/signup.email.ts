import type { EmailCopy } from './email-copy.js';

export const signupEmail: EmailCopy = {
  subject: 'Confirm your email address for {{site}}',
  heading: 'Confirm your email address',
  intro:
    'An account was created at {{site}} with this address. Confirm that the address is yours, and you are in.',
  action: 'Confirm email address',
  ifNotYou:
    'If you did not create an account, ignore this message. Nobody can use your address there without confirming it.',
};
