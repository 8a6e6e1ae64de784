import type { Provider, Type } from '@nestjs/common';
import { DeliveryEvents } from '../reports/delivery-events.js';
import { EmailCarriers } from '../reports/report-fields.js';
import { InboundSms } from '../reports/inbound-sms.js';
import { DsnEventsController } from './smtp/dsn-events.controller.js';
import { PostmarkEventsController } from './postmark/postmark-events.controller.js';
import { SendGridEventsController } from './sendgrid/sendgrid-events.controller.js';
import { SesEventsController } from './ses/ses-events.controller.js';
import { SnsCertificates, SnsEndpoint } from './ses/sns-certificates.js';
import { TwilioEventsController } from './twilio/twilio-events.controller.js';
import { VonageEventsController } from './vonage/vonage-events.controller.js';
import { WebhookEventsController } from './webhook/webhook-events.controller.js';

/** Where providers report. Each answers 404 until it is set up, so that the documentation is the same everywhere. */
export const eventControllers: Type[] = [
  TwilioEventsController,
  VonageEventsController,
  WebhookEventsController,
  DsnEventsController,
  SesEventsController,
  PostmarkEventsController,
  SendGridEventsController,
];

export const eventProviders: Provider[] = [
  DeliveryEvents,
  InboundSms,
  EmailCarriers,
  SnsCertificates,
  SnsEndpoint,
];
