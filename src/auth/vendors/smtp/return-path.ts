import { Injectable } from '@nestjs/common';
import { Config } from '../../../config/config.js';
import { KeyedHash } from '../../../platform/keyed-hash.js';

/** 64 bits as hexadecimal digits: who wants to guess one has to be believed first by a mail server, each time. */
const tagLength = 16;

/**
 * The address to which mail servers return what they cannot deliver, another for each message (variable envelope return
 * paths): `bounces+<id><tag>@example.com`. The id alone would not do: whoever asks for a message is told its id, and could
 * send a bounce for it that nobody wrote. The tag is a keyed hash of the id, and only those who carry the mail see it.
 */
@Injectable()
export class ReturnPath {
  private readonly parts: readonly [local: string, domain: string] | null;

  constructor(
    { mailReturnPath }: Config,
    private readonly keyedHash: KeyedHash,
  ) {
    const [local, domain] = mailReturnPath?.split('@') ?? [];
    this.parts = local === undefined || domain === undefined ? null : [local, domain];
  }

  /** The envelope sender of a message; null when none is configured, and bounces go to the sender. */
  addressFor(messageId: string): string | null {
    if (!this.parts) return null;
    const [local, domain] = this.parts;
    const id = messageId.replace(/^msg_/, '');
    return `${local}+${id}${tagOf(this.keyedHash.digest('return-path', id))}@${domain}`;
  }

  /** Of the addresses in a text, the first that we made: the message's id as 32 hexadecimal digits; else null. */
  uuidIn(text: string): string | null {
    if (!this.parts) return null;
    const [local, domain] = this.parts.map((part) => part.replaceAll(/[.-]/g, '\\$&'));
    const address = new RegExp(
      `(?<![\\w.+-])${local}\\+([0-9a-f]{32})([0-9a-f]{${tagLength}})@${domain}(?![\\w-])`,
      'gi',
    );
    for (const [, id = '', tag = ''] of text.matchAll(address)) {
      const digests = this.keyedHash.digests('return-path', id.toLowerCase());
      if (digests.some((digest) => tagOf(digest) === tag.toLowerCase())) return id.toLowerCase();
    }
    return null;
  }
}

function tagOf(digest: Buffer): string {
  return digest.toString('hex').slice(0, tagLength);
}
