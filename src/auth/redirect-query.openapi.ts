import { ApiQuery } from '@nestjs/swagger';

/** The other place of `redirect_to`, where clients of the Supabase Auth family put it. */
export function ApiRedirectQuery() {
  return ApiQuery({
    name: 'redirect_to',
    required: false,
    schema: { type: 'string' },
    description:
      'As in the body, which wins. Here a URL that is not on the allow list is replaced by the site URL, and the ' +
      'log has a warning.',
  });
}
