import { isThisMachine } from '../../../config/plaintext.js';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { randomUUID } from 'node:crypto';
import { readAtMost } from '../../../http/bounded-body.js';
import { TransientDeliveryError } from '../../messages/notification-provider.js';

/** Node's fetch tells of each head that it writes: https://undici.nodejs.org/#/docs/api/DiagnosticsChannel */
const channel = 'undici:client:sendHeaders';

/**
 * Knows whether a request has begun to leave. Before that, while a name is looked up, a connection made or a certificate
 * checked, the vendor cannot have taken it; afterwards a lost answer leaves the outcome unknown.
 */
class RequestSentProbe {
  private seen = false;

  /** @param mark stands in a header of the request, and of no other that is under way */
  constructor(private readonly mark: string) {
    subscribe(channel, this.look);
  }

  get hasBegun(): boolean {
    return this.seen;
  }

  /** To be called when the request has ended, however it did. */
  stop(): void {
    unsubscribe(channel, this.look);
  }

  private readonly look = (event: unknown): void => {
    const { headers } = event as { headers: string };
    if (headers.includes(this.mark)) this.seen = true;
  };
}

const maxAnswerBytes = 16 * 1024;

export interface VendorAnswer {
  readonly ok: boolean;
  readonly status: number;
  /** The members of the JSON object in the answer; none when there is no such thing. */
  readonly fields: Readonly<Record<string, unknown>>;
}

interface VendorRequest {
  readonly headers: Record<string, string>;
  readonly body: string | URLSearchParams;
}

async function post(url: URL, { headers, body }: VendorRequest, timeoutMs: number): Promise<Response> {
  const signal = AbortSignal.timeout(timeoutMs);
  const id = randomUUID();
  const probe = new RequestSentProbe(id);
  try {
    return await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'x-request-id': id },
      body,
      // A redirect would carry number, code and credentials to an address that is not configured.
      redirect: 'manual',
      signal,
    });
  } catch (cause) {
    const reason = signal.aborted ? 'timed_out' : 'connection_failed';
    throw new TransientDeliveryError(reason, { cause, outcomeUnknown: probe.hasBegun });
  } finally {
    probe.stop();
  }
}

/**
 * Whether a status leaves it open what became of the request: the vendor broke off in the middle of it, or a proxy got no
 * sound answer (RFC 9110, 15.6.1, 15.6.3 and 15.6.5). 503 says that it was not dealt with.
 */
export function mayHaveBeenTaken(status: number): boolean {
  return status === 500 || status === 502 || status === 504;
}

/**
 * One POST to the API of a vendor, and what the answer says. Whatever answer comes, of whichever status, has an end in size and time.
 * @throws TransientDeliveryError `timed_out` or `connection_failed` when none comes
 */
export async function askVendor(url: URL, request: VendorRequest, timeoutMs: number): Promise<VendorAnswer> {
  const response = await post(url, request, timeoutMs);
  return { ok: response.ok, status: response.status, fields: await fieldsOf(response) };
}

/** The status has said by now whether the message was taken; what stands beside it may be missing. */
async function fieldsOf(response: Response): Promise<Record<string, unknown>> {
  try {
    const answer: unknown = JSON.parse(await readAtMost(response, maxAnswerBytes));
    return typeof answer === 'object' && answer !== null ? (answer as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** RFC 7617. */
export function basicCredentials(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}`;
}

/** Where the vendor can report to: an address on this machine is none to anybody else, and vendors refuse it. */
export function isReachableFromOutside(publicUrl: string): boolean {
  const { hostname } = new URL(publicUrl);
  return !isThisMachine(hostname);
}
