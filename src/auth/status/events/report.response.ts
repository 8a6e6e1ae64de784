import { ApiProperty } from '@nestjs/swagger';

/** What a report is answered with. */
export class ReportResponse {
  @ApiProperty({
    type: 'integer',
    minimum: 0,
    description: 'How many events in it were of a kind that counts.',
    example: 1,
  })
  received: number;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'What to send back to the person who wrote, when that is up to the caller.',
    example: null,
  })
  reply: string | null;
}
