/** The public form of a message's UUIDv7 (RFC 9562): `msg_` and its 32 hexadecimal digits. */
export function messageIdOf(uuid: string): string {
  return `msg_${uuid.replaceAll('-', '')}`;
}

/** The UUID behind a public id, as 32 hexadecimal digits; null when it is none. */
export function uuidOf(messageId: unknown): string | null {
  return typeof messageId === 'string' ? (/^msg_([0-9a-f]{32})$/.exec(messageId)?.[1] ?? null) : null;
}
