/** Latest moment that a cursor may name: the end of the year 9999, in milliseconds. */
const latestMs = 253_402_300_799_999;
const timeBytes = 6;
const keyBytes = 32;

/** Where a list of messages goes on: after the message with this UUID. */
export function messageCursorOf(uuid: string): string {
  return Buffer.from(uuid.replaceAll('-', ''), 'hex').toString('base64url');
}

/** The UUID; undefined when the text is no such cursor. Any 16 bytes are a place in the list. */
export function readMessageCursor(cursor: string): string | undefined {
  const bytes = readBytes(cursor, 16);
  return bytes && uuidOf(bytes.toString('hex'));
}

/** A UUID in its usual form, of its 32 hexadecimal digits. */
export function uuidOf(hex: string): string {
  return hex.toLowerCase().replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** An entry's place in the suppression list. */
export interface SuppressionPlace {
  readonly createdAt: Date;
  readonly key: Buffer;
}

export function suppressionCursorOf({ createdAt, key }: SuppressionPlace): string {
  const time = Buffer.alloc(timeBytes);
  time.writeUIntBE(createdAt.getTime(), 0, timeBytes);
  return Buffer.concat([time, key]).toString('base64url');
}

export function readSuppressionCursor(cursor: string): SuppressionPlace | undefined {
  const bytes = readBytes(cursor, timeBytes + keyBytes);
  const ms = bytes?.readUIntBE(0, timeBytes) ?? Infinity;
  return bytes && ms <= latestMs ? { createdAt: new Date(ms), key: bytes.subarray(timeBytes) } : undefined;
}

/** The name of an entry of the suppression list: its key, from which no address can be read back. */
export function suppressionIdOf(key: Buffer): string {
  return key.toString('base64url');
}

export function readSuppressionId(id: string): Buffer | undefined {
  return readBytes(id, keyBytes);
}

function readBytes(text: string, length: number): Buffer | undefined {
  if (!/^[\w-]+$/.test(text) || text.length !== Math.ceil((length * 4) / 3)) return undefined;
  return Buffer.from(text, 'base64url');
}
