import { ApiProperty } from '@nestjs/swagger';

class ChallengeParameters {
  @ApiProperty({ enum: ['PBKDF2/SHA-256'] })
  algorithm: string;

  @ApiProperty({ type: 'integer', minimum: 1, description: 'Iterations of one derivation.' })
  cost: number;

  @ApiProperty({
    type: 'integer',
    description: 'When it is no longer taken, in seconds since the Unix epoch.',
  })
  expiresAt?: number;

  @ApiProperty({ type: 'integer', description: 'Bytes of the derived key.' })
  keyLength: number;

  @ApiProperty({
    pattern: '^[0-9a-f]+$',
    description: 'What the derived key must begin with, in hexadecimal.',
  })
  keyPrefix: string;

  @ApiProperty({ pattern: '^[0-9a-f]{32}$' })
  nonce: string;

  @ApiProperty({ pattern: '^[0-9a-f]{32}$' })
  salt: string;
}

export class ChallengeResponse {
  @ApiProperty({ type: ChallengeParameters })
  parameters: ChallengeParameters;

  @ApiProperty({
    pattern: '^[0-9a-f]{64}$',
  })
  signature?: string;
}

export const exampleChallenge = {
  parameters: {
    algorithm: 'PBKDF2/SHA-256',
    cost: 5_000,
    expiresAt: 1_767_323_045,
    keyLength: 32,
    keyPrefix: '00',
    nonce: '5d3f0c8a9b7e41d2a6c4f1e0b9d87a63',
    salt: 'c1a7e5d9034b4f6f8e2a71b0d6c3958f',
  },
  signature: '9f0d2c4be0a1536f7d8c9eab41207f53861ec5ba7d0493f2a8e6b17c3d5f9042',
};
