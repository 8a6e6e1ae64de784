import type { Vendor } from '../vendor.js';
import { SendGridEventsController } from './sendgrid-events.controller.js';

export const sendgrid: Vendor = { name: 'sendgrid', controllers: [SendGridEventsController] };
