import type { Vendor } from '../../messages/vendor.js';
import { vonageConfig } from './vonage.config.js';
import { VonageEventsController } from './vonage-events.controller.js';
import { VonageSmsProvider } from './vonage-sms.provider.js';

export const vonage: Vendor = {
  name: 'vonage',
  config: vonageConfig,
  sms(config) {
    const settings = vonageConfig.ifSetUp(config);
    return settings && new VonageSmsProvider({ ...settings, publicUrl: config.publicUrl });
  },
  controllers: [VonageEventsController],
};
