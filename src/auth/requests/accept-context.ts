import {
  type CanActivate,
  createParamDecorator,
  type ExecutionContext,
  Injectable,
  type Type,
} from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { type Backend, clientIpKey } from '../../http/client-ip.js';
import type { Channel, ConfirmationType } from '../messages/confirmation-type.js';
import { bodyGuard } from '../../http/body.guard.js';
import { RedirectAllowList } from './redirect-allow-list.js';

/** What a client asked for: intent, never a secret. */
export interface MessageRequest {
  readonly type: ConfirmationType;
  readonly channel: Channel;
  /** The address in its normal form. */
  readonly identifier: string;
  /** Null: the default URL. */
  readonly redirectTo: string | null;
  /** Who asks: see `clientIpKey`. */
  readonly client: string;
  /** The UUID that the message gets, when an `Idempotency-Key` was promised it; else a new one. */
  readonly messageUuid?: string | undefined;
}

/** `unverified`: there is a token, no vendor can say whether it is good, and the operator lets such requests pass. */
export type CaptchaOutcome = 'solved' | 'unverified';

/** Whom a message goes to, and what it is counted with. */
interface Recipient extends Pick<MessageRequest, 'channel' | 'identifier'> {
  /**
   * The limit of the channel counts by the type of message, whichever route asks for it, and by whose it is: the address in its
   * normal form, so that every spelling of it shares one bucket, or an account.
   */
  readonly bucket: { readonly kind: string; readonly who: string };
}

/** What guards, interceptor and handler of one request that asks for a message learn and pass on, each fact once. */
export class AcceptContext {
  /** The site's own server that calls, when one has shown its key. */
  backend?: Backend | undefined;
  /** How far the client's quota is used up. From `scarce` on it must solve a captcha; `spent`: only the second quota is left. */
  ipQuota: 'ample' | 'scarce' | 'spent' = 'ample';
  /** Where the message goes, the address in its normal form. Known once the body is validated. */
  recipient?: Recipient;
  /** What passed the allow list; null for the default URL. */
  redirectTo: string | null = null;
  /** The UUID that this request's message must get. */
  messageUuid?: string;
  /** Lets the next request with the `Idempotency-Key` be a new attempt, when this one fails. */
  giveKeyBack?: () => Promise<void>;
  /** The UUID of the message of an earlier request with the same `Idempotency-Key`: nothing is left to do but to say so. */
  replayOf?: string;
  /**
   * Checks the captcha; a token is good once, so the check is made once, whichever guard asks first. Absent when captcha
   * is off.
   * @throws ApiError 400 `captcha_failed`, 503 `captcha_unavailable`
   */
  checkCaptcha?: () => Promise<CaptchaOutcome>;

  /** @param peer who sent the request: see `clientIpKey` */
  private constructor(private readonly peer: string) {}

  /** What the IP limit and idempotency keys count and tell apart: who sent the request, or whom a backend calls for. */
  get client(): string {
    const visitor = this.backend?.visitor;
    return visitor ? clientIpKey({ ip: visitor }) : this.peer;
  }

  static of(request: FastifyRequest): AcceptContext {
    return (request.acceptContext ??= new AcceptContext(clientIpKey(request)));
  }

  message(type: ConfirmationType): MessageRequest {
    if (!this.recipient) throw new Error('The guard that validates the body must stand before');
    const { redirectTo, client, messageUuid } = this;
    const { channel, identifier } = this.recipient;
    return { type, channel, identifier, redirectTo, client, messageUuid };
  }
}

declare module 'fastify' {
  interface FastifyRequest {
    acceptContext?: AcceptContext;
  }
}

/** The context of the request that the guards of a route have gathered. */
export const Accepted = createParamDecorator((_: unknown, context: ExecutionContext) =>
  AcceptContext.of(context.switchToHttp().getRequest<FastifyRequest>()),
);

/** Brings the place where Supabase clients put the captcha token, `gotrue_meta_security.captcha_token`, into ours. */
export function withCaptchaToken(body: Record<string, unknown>): Record<string, unknown> {
  const security = body['gotrue_meta_security'];
  if ((body['captcha_token'] ?? null) !== null || typeof security !== 'object' || security === null)
    return body;
  const token: unknown = (security as Record<string, unknown>)['captcha_token'];
  return token === undefined || token === null ? body : { ...body, captcha_token: token };
}

/** A body that asks for a message. */
interface MessageDto {
  readonly channel: Channel;
  /** The address in its normal form. */
  readonly identifier: string;
  redirect_to?: string;
}

/**
 * A guard that validates a body that asks for a message: whom it goes to, and where its link may lead.
 * @param bucketOf what the request is counted with
 */
export function messageBodyGuard<T extends MessageDto>(
  bodyClass: Type<T>,
  bucketOf: (body: T, request: FastifyRequest) => Recipient['bucket'],
  options?: Parameters<typeof bodyGuard>[1],
): Type<CanActivate> {
  @Injectable()
  class MessageBodyGuard extends bodyGuard(bodyClass, options) {
    constructor(private readonly redirects: RedirectAllowList) {
      super();
    }

    override async canActivate(context: ExecutionContext): Promise<boolean> {
      await super.canActivate(context);
      const request = context
        .switchToHttp()
        .getRequest<FastifyRequest<{ Querystring: { redirect_to?: unknown } }>>();
      const body = request.body as T;
      const { channel, identifier, redirect_to } = body;
      const accepted = AcceptContext.of(request);
      accepted.redirectTo = this.redirects.choose(redirect_to, request.query.redirect_to);
      accepted.recipient = { channel, identifier, bucket: bucketOf(body, request) };
      return true;
    }
  }
  return MessageBodyGuard;
}
