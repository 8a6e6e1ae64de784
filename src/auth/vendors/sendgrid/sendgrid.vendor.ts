import type { Vendor } from '../../messages/vendor.js';
import { sendgridConfig } from './sendgrid.config.js';
import { SendGridEventsController } from './sendgrid-events.controller.js';

export const sendgrid: Vendor = {
  name: 'sendgrid',
  config: sendgridConfig,
  controllers: [SendGridEventsController],
};
