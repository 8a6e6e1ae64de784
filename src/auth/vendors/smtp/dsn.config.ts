import { password } from '../../../config/readers.js';
import { Section, variable } from '../../../config/section.js';

export const dsnConfig = new Section('Mail that was returned', {
  secret: variable('DSN_SECRET', password, {
    secret: true,
    about: 'The password with which your mail server posts what was returned to it: `openssl rand -hex 32`.',
  }),
});
