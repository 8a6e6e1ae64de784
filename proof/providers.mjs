// A mail server and an SMS gateway for the proof, in a process of their own: what they do must not be in the way of the
// one that takes the time. Prints one line of JSON when both listen.
import { createServer } from 'node:http';
import { setPriority } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { SMTPServer } from 'smtp-server';

const slowMs = 150;

// They stand for machines elsewhere, which take no processor from the service.
setPriority(19);

/** Addresses that begin with f, and numbers with 6 behind the area code. @param {string} to */
const isFailing = (to) => /^(f|\+12026)/.test(to);
/** @param {string} to */
const isSlow = (to) => /^(s|\+12027)/.test(to);

const smtp = new SMTPServer({
  authOptional: true,
  disabledCommands: ['STARTTLS'],
  disableReverseLookup: true,
  onRcptTo({ address }, _session, done) {
    if (isFailing(address)) {
      done(Object.assign(new Error('Mailbox busy'), { responseCode: 451 }));
    } else if (isSlow(address)) {
      void wait(slowMs).then(() => done());
    } else done();
  },
  onData(stream, _session, done) {
    stream.resume().on('end', () => done());
  },
});
smtp.on('error', () => undefined);

const gateway = createServer((request, response) => {
  /** @type {Buffer[]} */
  const chunks = [];
  request.on('data', (/** @type {Buffer} */ chunk) => chunks.push(chunk));
  request.on('end', () => {
    /** @type {unknown} */
    const body = JSON.parse(Buffer.concat(chunks).toString());
    const { data } = /** @type {{ data: { to: string } }} */ (body);
    const answer = () => response.writeHead(isFailing(data.to) ? 503 : 200).end();
    if (isSlow(data.to)) setTimeout(answer, slowMs);
    else answer();
  });
});

await new Promise((resolve) => smtp.listen(0, '127.0.0.1', () => resolve(undefined)));
await new Promise((resolve) => gateway.listen(0, '127.0.0.1', () => resolve(undefined)));
/** @param {import('node:net').Server} server */
const portOf = (server) => /** @type {import('node:net').AddressInfo} */ (server.address()).port;
process.stdout.write(
  `${JSON.stringify({
    // More connections than slow recipients at once: no other message waits behind them.
    SMTP_URL: `smtp://127.0.0.1:${portOf(smtp.server)}/?maxConnections=40&maxMessages=1000000`,
    SMS_WEBHOOK_URL: `http://127.0.0.1:${portOf(gateway)}/`,
  })}\n`,
);
