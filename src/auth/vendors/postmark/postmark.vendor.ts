import type { Vendor } from '../../messages/vendor.js';
import { postmarkConfig } from './postmark.config.js';
import { PostmarkEventsController } from './postmark-events.controller.js';

export const postmark: Vendor = {
  name: 'postmark',
  config: postmarkConfig,
  idHeader: (config) => postmarkConfig.of(config).login && 'X-PM-Metadata-message-id',
  controllers: [PostmarkEventsController],
};
