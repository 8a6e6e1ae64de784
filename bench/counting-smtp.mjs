// An SMTP server in a process of its own that takes everything and tells its parent when each mail came whole: `[at, id]`, with
// `at` in milliseconds since 1970 by the clock that all processes share.
import { SMTPServer } from 'smtp-server';

/** @type {[at: number, id: string][]} */
let arrived = [];
const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ['STARTTLS', 'AUTH'],
  disableReverseLookup: true,
  onData(stream, _session, done) {
    let head = '';
    stream.on(
      'data',
      (/** @type {Buffer} */ chunk) => (head += head.length < 4_096 ? chunk.toString('latin1') : ''),
    );
    stream.on('end', () => {
      arrived.push([performance.timeOrigin + performance.now(), /msg_[0-9a-f]{32}/.exec(head)?.[0] ?? '']);
      done();
    });
  },
});
server.on('error', () => {});
server.listen(0, '127.0.0.1', () => {
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.server.address());
  process.send?.({ port });
});
setInterval(() => {
  if (arrived.length > 0) process.send?.({ arrived });
  arrived = [];
}, 50);
process.once('disconnect', () => process.exit());
