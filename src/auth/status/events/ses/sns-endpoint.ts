import { ApiError } from '../../../../api-error.js';
import { readAtMost } from '../../../../bounded-body.js';

const timeoutMs = 5_000;
const maxBytes = 64 * 1024;

/** Where SNS is, and nothing that could be taken for it. */
const host = /^sns\.[a-z0-9-]{3,40}\.amazonaws\.com(\.cn)?$/;

/**
 * What is fetched from SNS: certificates, and the confirmation of a subscription. The address comes from the message that
 * is to be verified, so it is looked at closely; only a test puts another class in the place of this one.
 */
export class SnsEndpoint {
  /**
   * The text at an address of SNS.
   * @throws ApiError 503 when SNS cannot be asked now: it tries again after that, and after no other error
   * @throws Error when it is no address of SNS, or there is nothing at it
   */
  async fetch(address: string): Promise<string> {
    const url = new URL(address);
    if (url.protocol !== 'https:' || url.port !== '' || url.username !== '' || !host.test(url.hostname)) {
      throw new Error('Not an address of SNS');
    }
    const [status, text] = await this.read(url);
    if (status >= 500) throw unavailable(new Error(`SNS answered ${status}`));
    if (status !== 200) throw new Error(`SNS answered ${status}`);
    return text;
  }

  private async read(url: URL): Promise<[status: number, text: string]> {
    try {
      const response = await this.ask(url);
      return [response.status, await readAtMost(response, maxBytes)];
    } catch (cause) {
      throw unavailable(cause);
    }
  }

  protected ask(url: URL): Promise<Response> {
    return fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) });
  }
}

function unavailable(cause: unknown): ApiError {
  return new ApiError('unavailable', 'Please try again later', { retryAfter: 5, cause });
}
