import type { Vendor } from '../../messages/vendor.js';
import { webhookConfig } from './webhook.config.js';
import { WebhookEventsController } from './webhook-events.controller.js';
import { WebhookSmsProvider } from './webhook-sms.provider.js';

/** A gateway of one's own. */
export const webhook: Vendor = {
  name: 'webhook',
  config: webhookConfig,
  sms(config, clock) {
    const settings = webhookConfig.ifSetUp(config);
    return settings && new WebhookSmsProvider(settings, clock);
  },
  controllers: [WebhookEventsController],
};
