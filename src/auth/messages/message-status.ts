/**
 * - `accepted`: waits for its first attempt or its next
 * - `sending`: a worker holds it
 * - `sent`: a provider has taken it over
 * - `delayed`, `delivered`, `bounced`, `complained`: what the provider said of it later
 * - `dropped`: it was not meant to go anywhere; `failed`: it was, and did not
 */
export const messageStatuses = [
  'accepted',
  'sending',
  'sent',
  'delayed',
  'delivered',
  'bounced',
  'complained',
  'dropped',
  'failed',
] as const;
export type MessageStatus = (typeof messageStatuses)[number];

/**
 * What may follow what. The database holds the same table and refuses the rest, so that a late or repeated event can
 * never move a message backwards. Events may overtake the worker that has still to write down what it did, and tell of
 * a message that was given up after an attempt whose outcome was unknown. The ways back to `accepted` are a retry, and
 * an operator who asks for one.
 */
export const messageTransitions: Readonly<Record<MessageStatus, readonly MessageStatus[]>> = {
  accepted: ['sending', 'delivered', 'bounced', 'complained', 'dropped', 'failed'],
  sending: ['accepted', 'sent', 'delayed', 'delivered', 'bounced', 'complained', 'dropped', 'failed'],
  sent: ['delayed', 'delivered', 'bounced', 'complained', 'failed'],
  delayed: ['delivered', 'bounced', 'complained', 'failed'],
  // Mailboxes that take everything bounce afterwards.
  delivered: ['bounced', 'complained'],
  bounced: ['accepted'],
  complained: [],
  dropped: ['accepted'],
  failed: ['accepted', 'delivered', 'bounced', 'complained'],
};
