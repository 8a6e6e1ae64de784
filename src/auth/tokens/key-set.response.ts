import { ApiProperty } from '@nestjs/swagger';

const coordinate = '^[A-Za-z0-9_-]{43}$';

/** The public half of a P-256 key (RFC 7517 and RFC 7518, section 6.2). */
class KeyResponse {
  @ApiProperty({ enum: ['EC'] })
  kty: string;

  @ApiProperty({ enum: ['P-256'] })
  crv: string;

  @ApiProperty({ pattern: coordinate, example: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4' })
  x: string;

  @ApiProperty({ pattern: coordinate, example: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM' })
  y: string;

  @ApiProperty({
    description: 'The thumbprint of the key (RFC 7638).',
    pattern: coordinate,
    example: 'cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s',
  })
  kid: string;

  @ApiProperty({ enum: ['sig'] })
  use: string;

  @ApiProperty({ enum: ['ES256'] })
  alg: string;
}

/** A JSON Web Key Set (RFC 7517, section 5). */
export class KeySetResponse {
  @ApiProperty({ type: [KeyResponse] })
  keys: KeyResponse[];
}
