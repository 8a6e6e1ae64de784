import { Injectable } from '@nestjs/common';
import { equalsAny } from '../../platform/constant-time.js';
import { KeyedHash } from '../../platform/keyed-hash.js';
import { uuidOfHex } from '../../platform/ids.js';
import { type ConfirmationType, confirmationTypes } from './confirmation-type.js';

const uuidBytes = 16;
const keyBytes = 16;
/** What is left of a token of 64 characters: 120 bits, and each guess at one costs a request. */
const tagBytes = 15;

/** What the link "stop these mails" of one mail is about. */
export interface StopLink {
  readonly type: ConfirmationType;
  /** The message that the mail was sent for. */
  readonly messageUuid: string;
  /** Keyed hash of type and address, of 16 bytes: what is stopped. No address can be read back from it. */
  readonly key: Buffer;
}

/**
 * Tokens of the links "stop these mails": type, message, key of what is stopped, and a keyed hash over the three. Nothing is
 * stored for a mail; whoever holds the link has had the mail, and a token that is made up opens nothing.
 */
@Injectable()
export class StopLinks {
  constructor(private readonly keyedHash: KeyedHash) {}

  /** 64 characters of base64url. @param to the address in its normal form */
  tokenFor(type: ConfirmationType, messageUuid: string, to: string): string {
    const [key] = this.keys(type, to);
    const uuid = Buffer.from(messageUuid.replaceAll('-', ''), 'hex');
    const content = Buffer.concat([Buffer.of(confirmationTypes.indexOf(type)), uuid, key]);
    return Buffer.concat([content, this.tags(content)[0]]).toString('base64url');
  }

  /** Null when it is none of ours. */
  read(token: unknown): StopLink | null {
    if (typeof token !== 'string' || !/^[\w-]{64}$/.test(token)) return null;
    const bytes = Buffer.from(token, 'base64url');
    const content = bytes.subarray(0, -tagBytes);
    const type = confirmationTypes[content[0] ?? -1];
    if (type === undefined || !equalsAny(bytes.subarray(-tagBytes), this.tags(content))) return null;
    const messageUuid = uuidOfHex(content.subarray(1, 1 + uuidBytes).toString('hex'));
    return { type, messageUuid, key: content.subarray(1 + uuidBytes) };
  }

  /** What is stopped when mails of this type to this address are, under every hashing key. */
  keys(type: ConfirmationType, to: string): [Buffer, ...Buffer[]] {
    return this.keyedHash.shortDigests(keyBytes, 'stopped-mails', type, to);
  }

  private tags(content: Buffer): [Buffer, ...Buffer[]] {
    return this.keyedHash.shortDigests(tagBytes, 'stop-link', content.toString('hex'));
  }
}
