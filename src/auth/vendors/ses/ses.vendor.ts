import type { Vendor } from '../vendor.js';
import { SesEventsController } from './ses-events.controller.js';
import { SnsCertificates, SnsEndpoint } from './sns.js';

export const ses: Vendor = {
  name: 'ses',
  controllers: [SesEventsController],
  providers: [SnsCertificates, SnsEndpoint],
};
