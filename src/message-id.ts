import { v7 as uuidv7 } from 'uuid';

/** The public form of a message's UUIDv7 (RFC 9562): `msg_` and its 32 hexadecimal digits. */
export function messageIdOf(uuid: string): string {
  return `msg_${uuid.replaceAll('-', '')}`;
}

/** A new message's UUID. Version 7 rises with time, so that rows are appended to the index and not scattered in it. */
export function newMessageUuid(): string {
  return uuidv7();
}
