import type { Vendor } from '../vendor.js';
import { VonageEventsController } from './vonage-events.controller.js';
import { VonageSmsProvider } from './vonage-sms.provider.js';

export const vonage: Vendor = {
  name: 'vonage',
  sms: ({ sms, publicUrl }) => sms.vonage && new VonageSmsProvider({ ...sms.vonage, publicUrl }),
  controllers: [VonageEventsController],
};
