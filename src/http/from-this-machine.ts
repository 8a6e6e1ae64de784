import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { isThisMachine } from '../config/plaintext.js';
import { ApiError } from './api-error.js';

/** The part of a request that is looked at: what Node saw, whatever proxies are trusted. */
interface Arrived {
  readonly socket: { readonly remoteAddress?: string | undefined };
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** What proxies add. One on this machine hides where a request began. */
const forwarded = /^(forwarded|via|x-forwarded(-.+)?|x-real-ip|x-client-ip|cf-connecting-ip|true-client-ip)$/;

/**
 * Whether a person at this machine asks: over a socket of this machine, by a name of it (DNS rebinding: a page of another
 * site may reach us under its own name), and through no proxy.
 */
export function isFromThisMachine({ socket, headers }: Arrived): boolean {
  return (
    isLoopback(socket.remoteAddress ?? '') &&
    isThisMachine(hostIn(headers['host'])) &&
    !Object.keys(headers).some((name) => forwarded.test(name))
  );
}

function isLoopback(address: string): boolean {
  return /^(::1|(::ffff:)?127(\.\d{1,3}){3})$/i.test(address);
}

/** Without the port; empty when it is none. */
function hostIn(header: string | string[] | undefined): string {
  const [, host = ''] = /^(\[[^\]]+\]|[^:[\]]+)(?::\d{1,5})?$/.exec(String(header ?? '')) ?? [];
  return host;
}

/** For what shows a developer everybody's codes: to others it is as if there were no such route. */
@Injectable()
export class FromThisMachineGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { raw } = context.switchToHttp().getRequest<FastifyRequest>();
    if (isFromThisMachine(raw)) return true;
    throw new ApiError('not_found', 'See /docs for what there is');
  }
}
