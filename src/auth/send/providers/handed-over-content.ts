import type { Readable } from 'node:stream';
import type { MailerOptions } from '@nestjs-modules/mailer';

type Plugin = NonNullable<MailerOptions['plugins']>[number];

/**
 * Travels with a mail and knows whether a server can have got the whole of it. nodemailer reads a mail only after the
 * server's 354, and ends it with the dot only when it has been read to its end. So who lost the connection before that
 * knows that nothing was taken (RFC 5321, section 4.1.1.4), and who lost it after does not.
 */
export class HandedOverContent {
  private stream: Readable | undefined;

  get isComplete(): boolean {
    return this.stream?.readableEnded ?? false;
  }

  follow(stream: Readable): Readable {
    this.stream = stream;
    return stream;
  }
}

interface Mail {
  readonly data: { readonly handedOver?: HandedOverContent };
  readonly message: { processFunc(follow: (stream: Readable) => Readable): void };
}

/** Lets a mail that carries a `HandedOverContent` be followed. */
export const followContent: Plugin = {
  step: 'stream',
  plugin: ({ data, message }: Mail, done) => {
    const { handedOver } = data;
    if (handedOver) message.processFunc((stream) => handedOver.follow(stream));
    done();
  },
};
