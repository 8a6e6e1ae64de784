import { ApiHeader } from '@nestjs/swagger';

/**
 * The header of draft-ietf-httpapi-idempotency-key-header, and what we promise to who sends it. It has no
 * `example`: Swagger UI would send that with every try, and answer the second one with 422.
 */
export function ApiIdempotencyKey() {
  return ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description:
      'Makes it safe to repeat the request, after a double click or when the answer got lost. A new random value for ' +
      'each message, such as `"8e03978e-40d5-43e8-bc93-6894a57f9324"`; 1 to 255 visible ASCII characters in double quotes, which may be left out ' +
      '([IETF draft](https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/)).\n\n' +
      'While the first request is under way, its repetition is answered 409. Once it is accepted, and for 24 hours, ' +
      'repetitions get the same `message_id` and `Idempotency-Replayed: true`: nothing is sent again, no captcha is ' +
      'asked for, and the limit of the address is not touched; the limit of the client is. Another request with the ' +
      'same key is answered 422. A request that failed leaves nothing behind: repeating it is a new attempt. Keys ' +
      'belong to the client, told by its IP address (IPv6: its /64).',
    schema: { type: 'string', minLength: 1 },
  });
}

/** For `ApiErrors`. */
export const idempotencyErrors = {
  invalid_idempotency_key: [
    'validation_failed',
    'Idempotency-Key must be 1 to 255 visible ASCII characters in double quotes',
  ],
  idempotency_key_in_flight: [
    'idempotency_key_in_flight',
    'Try again when the first request has been answered',
  ],
  idempotency_key_reuse: ['idempotency_key_reuse', 'Send another request with another Idempotency-Key'],
} as const;
