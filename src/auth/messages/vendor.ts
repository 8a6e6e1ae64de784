import type { Provider, Type } from '@nestjs/common';
import type { Config } from '../../config/config.js';
import type { AnySection } from '../../config/section.js';
import type { Clock } from '../../platform/clock.js';
import type { NotificationProvider } from './notification-provider.js';

/** All that the rest of the service knows of a vendor. It stands in the vendor's folder, and in the list of `vendors.ts`. */
export interface Vendor {
  /** As in `SMS_PROVIDERS`. */
  readonly name: string;
  /** Its variables. */
  readonly config: AnySection;
  /** Its provider of SMS; undefined when it is not set up. */
  readonly sms?: (config: Config, clock: Clock) => NotificationProvider | undefined;
  /**
   * A vendor of mail that writes Message-IDs of its own: the header under which it keeps ours, and names it in its
   * reports; undefined when it is not set up.
   */
  readonly idHeader?: (config: Config) => string | undefined;
  /** Where it reports. They answer 404 until it is set up, so that the documentation is the same everywhere. */
  readonly controllers: readonly Type[];
  /** What they need, besides what all reports need. */
  readonly providers?: readonly Provider[];
}
