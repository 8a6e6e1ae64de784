import { ApiOkResponse, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import { Controller, Get, Header } from '@nestjs/common';
import type { JSONWebKeySet } from 'jose';
import { ApiErrors } from '../../openapi/api-errors.decorator.js';
import { AccessTokens } from './access-tokens.js';

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
class KeySetResponse {
  @ApiProperty({ type: [KeyResponse] })
  keys: KeyResponse[];
}

@ApiTags('Keys')
@Controller('.well-known')
export class JwksController {
  constructor(private readonly accessTokens: AccessTokens) {}

  @Get('jwks.json')
  @Header('Cache-Control', 'public, max-age=600, stale-while-revalidate=600')
  @ApiOperation({
    operationId: 'getKeys',
    summary: 'The public keys that access tokens are signed with',
    description:
      'A JSON Web Key Set (RFC 7517). It may be cached for ten minutes. A token names its key by `kid`; while keys are changed there are several.',
  })
  @ApiOkResponse({
    type: KeySetResponse,
    description: 'The keys.',
    example: {
      keys: [
        {
          kty: 'EC',
          crv: 'P-256',
          x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
          y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
          kid: 'cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s',
          use: 'sig',
          alg: 'ES256',
        },
      ],
    },
  })
  @ApiErrors({})
  keys(): Promise<JSONWebKeySet> {
    return this.accessTokens.keySet();
  }
}
