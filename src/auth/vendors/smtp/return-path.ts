import { Injectable } from '@nestjs/common';
import { Config } from '../../../config/config.js';
import { KeyedHash } from '../../../platform/keyed-hash.js';

/** 64 bits as hexadecimal digits: each guess at one costs a mail that a server must accept. */
const tagLength = 16;

/**
 * VERP (variable envelope return path): each message has a bounce address of its own, `bounces+<id><tag>@example.com`. The
 * client that asked for a message knows its id and could forge a bounce for it; the tag is a keyed hash of the id, and
 * only those who carry the mail see it.
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
