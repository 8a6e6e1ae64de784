import { ApiProperty } from '@nestjs/swagger';
import { UserResponse } from '../users/user.response.js';

/** What a verified person gets (RFC 6749, section 5.1, and the user). */
export class VerifyResponse {
  @ApiProperty({
    description: 'JWT, ES256; its public key is at /.well-known/jwks.json.',
    pattern: '^[\\w-]+\\.[\\w-]+\\.[\\w-]+$',
    example: 'eyJhbGciOiJFUzI1NiJ9.e30.c2ln',
  })
  access_token: string;

  @ApiProperty({ enum: ['bearer'], example: 'bearer' })
  token_type: 'bearer';

  @ApiProperty({ type: 'integer', minimum: 1, description: 'Seconds.', example: 3600 })
  expires_in: number;

  @ApiProperty({ type: 'integer', description: 'Seconds since the Unix epoch.', example: 1769864400 })
  expires_at: number;

  @ApiProperty({ type: UserResponse })
  user: UserResponse;
}
