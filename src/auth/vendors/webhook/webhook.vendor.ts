import type { Vendor } from '../vendor.js';
import { WebhookEventsController } from './webhook-events.controller.js';
import { WebhookSmsProvider } from './webhook-sms.provider.js';

/** A gateway of one's own. */
export const webhook: Vendor = {
  name: 'webhook',
  sms: ({ sms }, clock) => sms.webhook && new WebhookSmsProvider(sms.webhook, clock),
  controllers: [WebhookEventsController],
};
