/** The public form of a message's UUIDv7 (RFC 9562): `msg_` and its 32 hexadecimal digits. */
export function messageIdOf(uuid: string): string {
  return `msg_${uuid.replaceAll('-', '')}`;
}
