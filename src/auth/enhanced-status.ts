/**
 * Whether an enhanced status code says that nothing can arrive there any more. RFC 3463, section 3.2: no such mailbox or
 * system, no address at all, moved; RFC 7505: a domain without mail. 5.1.7 and 5.1.8 speak of the sender. 5.2.1 is a
 * mailbox that is switched off.
 */
export function isMailboxGone(status: string): boolean {
  return /^5\.(1\.([012356]|10)|2\.1)$/.test(status);
}
