import type { Vendor } from '../../messages/vendor.js';
import { sesConfig } from './ses.config.js';
import { SesEventsController } from './ses-events.controller.js';
import { SnsCertificates, SnsEndpoint } from './sns.js';

export const ses: Vendor = {
  name: 'ses',
  config: sesConfig,
  controllers: [SesEventsController],
  providers: [SnsCertificates, SnsEndpoint],
};
