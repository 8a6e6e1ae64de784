import { Injectable } from '@nestjs/common';
import { ApiError } from '../http/api-error.js';
import { SuppressionList } from '../auth/messages/suppression-list.js';
import { readSuppressionId } from './cursors.js';
import {
  type ListSuppressionsQueryDto,
  suppressionListResponse,
  type SuppressionListResponse,
  type SuppressionDto,
  suppressionResponse,
  type SuppressionResponse,
} from './suppressions.dto.js';

/** The suppression list in an operator's hands. */
@Injectable()
export class Suppressions {
  constructor(private readonly list: SuppressionList) {}

  async page({ limit, cursor }: ListSuppressionsQueryDto): Promise<SuppressionListResponse> {
    return suppressionListResponse(await this.list.entries(limit + 1, cursor), limit);
  }

  /** The entry as it stands on the list then, whoever put it there. */
  async add({ channel, identifier }: SuppressionDto): Promise<SuppressionResponse> {
    await this.list.add(channel, identifier, 'operator');
    const entry = await this.list.find(channel, identifier);
    // Somebody has lifted it in the meantime, and would not understand why it is back.
    if (!entry) throw notListed();
    return suppressionResponse(entry);
  }

  /** @throws ApiError 404 */
  async lift({ channel, identifier }: SuppressionDto): Promise<void> {
    if (!(await this.list.lift(channel, identifier))) throw notListed();
  }

  /** @throws ApiError 404 */
  async remove(id: string): Promise<void> {
    const key = readSuppressionId(id);
    if (!key || !(await this.list.remove(key))) throw notListed();
  }
}

function notListed(): ApiError {
  return new ApiError('not_found', 'It is not on the suppression list');
}
