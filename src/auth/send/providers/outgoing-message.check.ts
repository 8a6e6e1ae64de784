import { type OutgoingMessage, PermanentDeliveryError } from '../notification-provider.js';

/** Control characters, the brackets that end an address in SMTP, and the line separators of Unicode: nowhere. */
// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const unsafeInAddress = /[\u0000-\u001f\u007f<>\u2028\u2029]/;
/** What separates addresses in a list: only within quotes. */
const separatesAddresses = /[\s,;]/;
// eslint-disable-next-line no-control-regex -- see above
const unsafeInHeader = /[\u0000-\u001f\u007f\u2028\u2029]/;

/**
 * Refuses what could break out of a header or an SMTP command. Validation at the door never lets such a thing in,
 * and the libraries below strip line breaks; a provider does not rely on either.
 * @throws PermanentDeliveryError `malformed_message`
 */
export function refuseUnsafe({ messageId, to, subject }: OutgoingMessage): void {
  const safe =
    /^msg_[0-9a-f]{32}$/.test(messageId) &&
    to.length > 0 &&
    to.length <= 320 &&
    !unsafeInAddress.test(to) &&
    !separatesAddresses.test(to.replace(/^"[^"]*"/, '')) &&
    !unsafeInHeader.test(subject);
  if (!safe) throw new PermanentDeliveryError('malformed_message');
}
