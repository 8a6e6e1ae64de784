import { text } from '../../../config/readers.js';
import { Section, variable } from '../../../config/section.js';

export const twilioConfig = new Section(
  'Twilio',
  {
    accountSid: variable('TWILIO_ACCOUNT_SID', text, {
      about: 'The account at Twilio, which begins with AC.',
    }),
    authToken: variable('TWILIO_AUTH_TOKEN', text, {
      secret: true,
      about: 'The token of that account; Twilio signs its reports with it, too.',
    }),
    from: variable('TWILIO_FROM', text, {
      about: 'The sender of SMS: a number, or the SID of a messaging service, which begins with MG.',
    }),
  },
  { together: ['accountSid', 'authToken', 'from'] },
);
