import { Body, Controller, Get, HttpCode, Param, Post, Query, UseGuards } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { orUnavailable } from '../http/api-error.js';
import { bodyGuard, validQuery } from '../http/body.guard.js';
import { ServiceKeyGuard } from './service-key.guard.js';
import { ListMessagesQueryDto, ReplayDto, replayResponse, type ReplayResponse } from './messages.dto.js';
import { MessageDetails, MessageIdPipe, MessageList } from './message-list.js';
import {
  type MessageDetailsResponse,
  messageListResponse,
  type MessageListResponse,
  type MessageResponse,
} from './message.response.js';
import { ApiCancel, ApiListMessages, ApiReadMessage, ApiReplay, ApiRetry } from './messages.openapi.js';
import { Requeue } from './requeue.js';

@ApiTags('Admin')
@Controller('admin/messages')
@UseGuards(ServiceKeyGuard)
export class MessagesController {
  constructor(
    private readonly messages: MessageList,
    private readonly details: MessageDetails,
    private readonly requeue: Requeue,
  ) {}

  @Get()
  @ApiListMessages()
  list(
    @Query(validQuery(ListMessagesQueryDto)) { limit, cursor, ...filters }: ListMessagesQueryDto,
  ): Promise<MessageListResponse> {
    return orUnavailable(async () => messageListResponse(await this.messages.page(filters, limit, cursor)));
  }

  @Get(':id')
  @ApiReadMessage()
  read(@Param('id', MessageIdPipe) uuid: string): Promise<MessageDetailsResponse> {
    return orUnavailable(() => this.details.of(uuid));
  }

  @Post('replay')
  @HttpCode(200)
  @UseGuards(bodyGuard(ReplayDto))
  @ApiReplay()
  replay(@Body() { limit, cursor, ...chosen }: ReplayDto): Promise<ReplayResponse> {
    return orUnavailable(async () => replayResponse(await this.requeue.replay(chosen, limit, cursor)));
  }

  @Post(':id/retry')
  @HttpCode(200)
  @ApiRetry()
  retry(@Param('id', MessageIdPipe) uuid: string): Promise<MessageResponse> {
    return orUnavailable(() => this.requeue.retry(uuid));
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @ApiCancel()
  cancel(@Param('id', MessageIdPipe) uuid: string): Promise<MessageResponse> {
    return orUnavailable(() => this.requeue.cancel(uuid));
  }
}
