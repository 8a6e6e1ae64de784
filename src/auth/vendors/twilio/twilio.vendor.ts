import type { Vendor } from '../../messages/vendor.js';
import { twilioConfig } from './twilio.config.js';
import { TwilioEventsController } from './twilio-events.controller.js';
import { TwilioSmsProvider } from './twilio-sms.provider.js';

export const twilio: Vendor = {
  name: 'twilio',
  config: twilioConfig,
  sms(config) {
    const settings = twilioConfig.ifSetUp(config);
    return settings && new TwilioSmsProvider({ ...settings, publicUrl: config.publicUrl });
  },
  controllers: [TwilioEventsController],
};
