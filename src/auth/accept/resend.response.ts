import { ApiProperty } from '@nestjs/swagger';

/** The same for every identifier, known or not. */
export class ResendResponse {
  @ApiProperty({
    pattern: '^msg_[0-9a-f]{32}$',
    description: 'Names the message, for questions to support; nothing about the address follows from it.',
    example: 'msg_0198c0ffee7b7c1e9d1f2a3b4c5d6e7f',
  })
  message_id: string;
}
