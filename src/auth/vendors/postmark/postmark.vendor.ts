import type { Vendor } from '../vendor.js';
import { PostmarkEventsController } from './postmark-events.controller.js';

export const postmark: Vendor = {
  name: 'postmark',
  idHeader: ({ events }) => events.postmark && 'X-PM-Metadata-message-id',
  controllers: [PostmarkEventsController],
};
