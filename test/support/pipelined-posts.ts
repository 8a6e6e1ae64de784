import { once } from 'node:events';
import { connect } from 'node:net';

interface Post {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** How many requests of a connection are on their way at once. */
const depth = 2;

/**
 * Sends all posts over one connection, without waiting for one answer before the next request (RFC 9112, section 9.3.2):
 * many more in the same time than `fetch` manages, and over HTTP all the same.
 * @returns the status of each
 */
export async function pipelinedPosts(url: string, posts: readonly Post[]): Promise<number[]> {
  if (posts.length === 0) return [];
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  const statuses: number[] = [];
  let [sent, rest] = [0, ''];
  const sendMore = () => {
    const until = Math.min(posts.length, statuses.length + depth);
    if (sent < until) socket.write(posts.slice(sent, until).map(asText).join(''));
    sent = until;
  };
  await new Promise<void>((resolve, reject) => {
    socket.setEncoding('latin1').once('error', reject);
    socket.once('close', () =>
      reject(new Error(`Closed after ${statuses.length} of ${posts.length} answers`)),
    );
    socket.on('data', (chunk: string) => {
      rest += chunk;
      for (let answer = firstAnswerIn(rest); answer; answer = firstAnswerIn(rest)) {
        statuses.push(answer.status);
        rest = rest.slice(answer.length);
      }
      if (statuses.length === posts.length) resolve();
      else sendMore();
    });
    sendMore();
  });
  socket.removeAllListeners('close').destroy();
  return statuses;
}

function asText({ path, headers, body }: Post): string {
  const lines = Object.entries({ Host: 'x', ...headers, 'Content-Length': String(Buffer.byteLength(body)) });
  return `POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`;
}

/** The service says how long each of its answers is. */
function firstAnswerIn(text: string): { status: number; length: number } | null {
  const head = text.indexOf('\r\n\r\n');
  if (head === -1) return null;
  const [, bodyLength] = /\r\ncontent-length: (\d+)\r\n/i.exec(text.slice(0, head + 2)) ?? [];
  if (bodyLength === undefined) throw new Error(`No length in ${text.slice(0, head)}`);
  const length = head + 4 + Number(bodyLength);
  return text.length < length ? null : { status: Number(text.slice(9, 12)), length };
}
