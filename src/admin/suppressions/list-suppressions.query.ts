import { readSuppressionCursor, type SuppressionPlace } from '../cursors.js';
import { CursorField, LimitField } from '../query.fields.js';

export class ListSuppressionsQuery {
  @LimitField(200, 50, 'Entries in the answer.')
  limit = 50;

  @CursorField(readSuppressionCursor)
  cursor?: SuppressionPlace;
}
