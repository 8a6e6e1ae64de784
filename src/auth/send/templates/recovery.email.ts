import type { EmailCopy } from './email-copy.js';

export const recoveryEmail: EmailCopy = {
  subject: 'Reset your password for {{site}}',
  heading: 'Reset your password',
  intro: 'A new password was asked for, for your account at {{site}}. Follow the link to choose one.',
  action: 'Reset password',
  ifNotYou:
    'If you did not ask for it, ignore this message: your password stays as it is. Do not pass the code on, whoever asks.',
};
