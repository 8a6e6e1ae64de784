import { ApiError } from '../api-error.js';

/** Seconds after which a client may try again. */
const retryAfter = 5;

/**
 * The result of `work`, which needs the database. When the database fails the client is told to try again;
 * if the connection broke during the commit, nobody knows whether it went through.
 * @throws ApiError what `work` meant to say to the client, or 503 `unavailable`
 */
export async function orUnavailable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof ApiError) throw cause;
    throw new ApiError('unavailable', 'Please try again later', { retryAfter, cause });
  }
}
