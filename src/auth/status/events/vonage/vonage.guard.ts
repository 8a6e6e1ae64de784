import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { jwtVerify } from 'jose';
import { Clock } from '../../../../clock.js';
import { Config } from '../../../../config.js';
import {
  EventGuard,
  headerOf,
  isSame,
  jsonObject,
  notAuthentic,
  notConfigured,
  rawText,
  reportLimit,
} from '../event.guard.js';

/** Clocks may differ by this much. Together with the age a token is good for five minutes. */
const clockToleranceSeconds = 60;
const maxAgeSeconds = 4 * 60;

/**
 * Vonage sends a JWT with each webhook: HS256 with the signature secret of the account, the time in `iat`, the SHA-256 of
 * the body in `payload_hash` (https://developer.vonage.com/en/getting-started/concepts/webhooks#decoding-signed-webhooks).
 * The token is bound to the body, so who sends both again tells what is known.
 */
@Injectable()
export class VonageGuard extends EventGuard {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
  ) {
    super();
  }

  protected override async read(request: FastifyRequest): Promise<Record<string, unknown>> {
    const secret = this.config.sms.vonageSignatureSecret;
    if (secret === undefined) throw notConfigured();
    const text = await rawText(request, reportLimit);
    const token = /^Bearer ([\w.-]+)$/i.exec(headerOf(request, 'authorization'))?.[1] ?? '';
    const given = await this.payloadHash(token, secret);
    if (!isSame(given, createHash('sha256').update(text, 'utf8').digest('hex'))) throw notAuthentic();
    return jsonObject(text);
  }

  private async payloadHash(token: string, secret: string): Promise<string> {
    try {
      const { payload } = await jwtVerify(token, Buffer.from(secret, 'utf8'), {
        algorithms: ['HS256'],
        currentDate: new Date(this.clock.now()),
        maxTokenAge: maxAgeSeconds,
        clockTolerance: clockToleranceSeconds,
        requiredClaims: ['iat', 'jti', 'payload_hash'],
      });
      return String(payload['payload_hash']).toLowerCase();
    } catch (cause) {
      throw notAuthentic(cause);
    }
  }
}
