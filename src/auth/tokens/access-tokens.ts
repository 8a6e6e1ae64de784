import { createPublicKey, type KeyObject } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { isUUID } from 'class-validator';
import {
  calculateJwkThumbprint,
  createLocalJWKSet,
  exportJWK,
  type JSONWebKeySet,
  type JWK,
  jwtVerify,
  SignJWT,
} from 'jose';
import { Clock } from '../../platform/clock.js';
import { Config } from '../../config/config.js';
import { Secrets } from '../../config/secrets.js';
import type { User } from '../messages/user.js';

const algorithm = 'ES256';
const audience = 'authenticated';

/** The OAuth form of an access token (RFC 6749, section 5.1); times in seconds, `expires_at` since the epoch. */
export interface AccessTokenGrant {
  readonly access_token: string;
  readonly token_type: 'bearer';
  readonly expires_in: number;
  readonly expires_at: number;
}

/**
 * Access tokens: JWTs (RFC 7519) signed with ES256, verifiable against `/.well-known/jwks.json`. Signed
 * with the current key, and good under every key of that set, so that a change of keys ends no session.
 */
@Injectable()
export class AccessTokens {
  private readonly keyId: Promise<string>;
  private readonly keys: Promise<JSONWebKeySet>;
  /** Finds the key by the `kid` in a token's header; refuses an unknown one. */
  private readonly keyOf: Promise<ReturnType<typeof createLocalJWKSet>>;

  constructor(
    private readonly secrets: Secrets,
    private readonly config: Config,
    private readonly clock: Clock,
  ) {
    const publicKey = createPublicKey(secrets.signingKey);
    this.keyId = calculateJwkThumbprint(publicKey);
    this.keys = Promise.all([publicKey, ...secrets.previousSigningKeys].map(jwkOf)).then((keys) => ({
      keys,
    }));
    this.keyOf = this.keys.then((keys) => createLocalJWKSet(keys));
  }

  /** Names an email or phone only when it is confirmed: readers of a token trust its claims. */
  async issue(user: User): Promise<AccessTokenGrant> {
    const issuedAt = Math.floor(this.clock.now() / 1_000);
    const expiresIn = Math.floor(this.config.accessTokenLifetimeMs / 1_000);
    const claims = {
      role: 'authenticated',
      ...(user.email && user.emailConfirmedAt ? { email: user.email } : {}),
      ...(user.phone && user.phoneConfirmedAt ? { phone: user.phone } : {}),
    };
    const jwt = await new SignJWT(claims)
      .setProtectedHeader({ alg: algorithm, typ: 'JWT', kid: await this.keyId })
      .setIssuer(this.config.publicUrl)
      .setSubject(user.id)
      .setAudience(audience)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + expiresIn)
      .sign(this.secrets.signingKey);
    return {
      access_token: jwt,
      token_type: 'bearer',
      expires_in: expiresIn,
      expires_at: issuedAt + expiresIn,
    };
  }

  /** The id of the user whom the token names; null when the token is not ours, not for us, or expired. */
  async userIdOf(jwt: string): Promise<string | null> {
    try {
      const { payload } = await jwtVerify(jwt, await this.keyOf, {
        algorithms: [algorithm],
        issuer: this.config.publicUrl,
        audience,
        requiredClaims: ['sub', 'exp'],
        currentDate: new Date(this.clock.now()),
      });
      return isUUID(payload.sub) ? (payload.sub as string) : null;
    } catch {
      return null;
    }
  }

  /** The public halves of all keys (RFC 7517), the current one first. */
  keySet(): Promise<JSONWebKeySet> {
    return this.keys;
  }
}

/** Under its thumbprint (RFC 7638), so that a key has the same id whether it is the current one or not. */
async function jwkOf(publicKey: KeyObject): Promise<JWK> {
  const { kty, crv, x, y } = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(publicKey);
  return { kty, crv, x, y, kid, use: 'sig', alg: algorithm } as JWK;
}
