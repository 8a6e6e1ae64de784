import { InstantField } from '../query.fields.js';

export class StatsQuery {
  @InstantField('Accepted then or later. Without it: a day before `until`.')
  since?: Date;

  @InstantField('Accepted before. Without it: up to now.')
  until?: Date;
}
