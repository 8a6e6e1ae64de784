/** Thrown by the guard when there is nothing left to do: an earlier request with the key has been accepted. */
export class ReplayedAnswer extends Error {
  override readonly name = 'ReplayedAnswer';

  /** @param messageUuid of the message that the earlier request has put into the outbox */
  constructor(readonly messageUuid: string) {
    super('Answered by an earlier request');
  }
}
