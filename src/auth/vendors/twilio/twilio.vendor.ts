import type { Vendor } from '../vendor.js';
import { TwilioEventsController } from './twilio-events.controller.js';
import { TwilioSmsProvider } from './twilio-sms.provider.js';

export const twilio: Vendor = {
  name: 'twilio',
  sms: ({ sms, publicUrl }) => sms.twilio && new TwilioSmsProvider({ ...sms.twilio, publicUrl }),
  controllers: [TwilioEventsController],
};
