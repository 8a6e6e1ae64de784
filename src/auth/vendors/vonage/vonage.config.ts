import { text } from '../../../config/readers.js';
import { Section, variable } from '../../../config/section.js';

export const vonageConfig = new Section(
  'Vonage',
  {
    apiKey: variable('VONAGE_API_KEY', text, { about: 'The key of the account at Vonage.' }),
    apiSecret: variable('VONAGE_API_SECRET', text, { secret: true, about: 'The secret of that key.' }),
    from: variable('VONAGE_FROM', text, {
      about: 'The sender of SMS: a number, or a name where the country allows one.',
    }),
    signatureSecret: variable('VONAGE_SIGNATURE_SECRET', text, {
      secret: true,
      about: 'What Vonage signs its reports with; without it they are not taken.',
    }),
  },
  { together: ['apiKey', 'apiSecret', 'from'] },
);
