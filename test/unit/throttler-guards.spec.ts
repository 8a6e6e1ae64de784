import {
  Body,
  type CanActivate,
  Controller,
  type DynamicModule,
  type ExecutionContext,
  HttpCode,
  Injectable,
  Post,
  UseGuards,
} from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import type { FastifyRequest } from 'fastify';
import { ApiErrorFilter } from '../../src/http/api-error.filter.js';
import { ApiError } from '../../src/http/api-error.js';
import {
  ChallengeThrottlerGuard,
  IdentifierThrottlerGuard,
  IpThrottlerGuard,
} from '../../src/auth/accept/throttler.guards.js';
import { AcceptContext } from '../../src/auth/requests/accept-context.js';
import { SlidingLogStorage } from '../../src/rate-limit/sliding-log.storage.js';
import { slidingLogProvider, throttlerModule } from '../../src/rate-limit/rate-limit.providers.js';
import { Clock } from '../../src/platform/clock.js';
import { Config, readConfig } from '../../src/config/config.js';
import { KeyedHash } from '../../src/platform/keyed-hash.js';
import { createLog } from '../../src/platform/log.js';
import { TestClock } from '../support/test-clock.js';

type Recipient = NonNullable<AcceptContext['recipient']>;

@Injectable()
class BodyGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const { channel, identifier, kind, malformed } = request.body as Partial<Recipient> & {
      kind?: string;
      malformed?: boolean;
    };
    if (malformed) throw new ApiError('validation_failed', 'channel must be there');
    const bucket = { kind: kind ?? 'recovery', who: identifier ?? '' };
    if (channel && identifier) AcceptContext.of(request).recipient = { channel, identifier, bucket };
    return true;
  }
}

@Controller()
class LimitedController {
  @Post('resend')
  @HttpCode(200)
  @UseGuards(IpThrottlerGuard, BodyGuard, IdentifierThrottlerGuard)
  resend(@Body() body: object): object {
    return body;
  }

  @Post('recover')
  @HttpCode(200)
  @UseGuards(IpThrottlerGuard, BodyGuard, IdentifierThrottlerGuard)
  recover(@Body() body: object): object {
    return body;
  }

  @Post('challenge')
  @HttpCode(200)
  @UseGuards(ChallengeThrottlerGuard)
  challenge(): object {
    return {};
  }
}

/** What the application makes global. */
function platformWith(config: Config, clock: Clock): DynamicModule {
  const providers = [
    { provide: Config, useValue: config },
    { provide: Clock, useValue: clock },
    { provide: KeyedHash, useValue: new KeyedHash(Buffer.alloc(32, 7)) },
  ];
  return { module: class Platform {}, global: true, providers, exports: providers };
}

const email = { channel: 'email', identifier: 'user@example.com' };
const sms = { channel: 'sms', identifier: '+1234567890' };

describe('the throttler guards', () => {
  let app: NestFastifyApplication;
  let clock: TestClock;
  let increment: jest.SpyInstance;

  beforeEach(async () => {
    const config = readConfig({ NODE_ENV: 'test', LOG_LEVEL: 'silent' });
    clock = new TestClock();
    const module = await Test.createTestingModule({
      imports: [platformWith(config, clock), throttlerModule()],
      controllers: [LimitedController],
      providers: [slidingLogProvider],
    }).compile();
    app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
    app.useGlobalFilters(new ApiErrorFilter(createLog(config)));
    await app.init();
    increment = jest.spyOn(app.get(SlidingLogStorage), 'increment');
  });
  afterEach(() => app.close());

  const post = (payload: object, { url = '/resend', remoteAddress = '192.0.2.1' } = {}) =>
    app.inject({ method: 'POST', url, payload, remoteAddress });

  async function statuses(count: number, ...request: Parameters<typeof post>): Promise<number[]> {
    const seen: number[] = [];
    for (let i = 0; i < count; i++) seen.push((await post(...request)).statusCode);
    return seen;
  }

  it('announce both limits on a 200, the scarcer one in X-RateLimit', async () => {
    const { statusCode, headers } = await post(email);
    expect(statusCode).toBe(200);
    expect(headers).toMatchObject({
      'x-ratelimit-limit': '3',
      'x-ratelimit-remaining': '2',
      'x-ratelimit-reset': '300',
      'ratelimit-policy': '"ip";q=10;w=600, "email";q=3;w=300',
      ratelimit: '"ip";r=9;t=600, "email";r=2;t=300',
    });
    expect(headers).not.toHaveProperty('retry-after');
  });

  it('announce the IP limit on a 400, and the identifier is not touched', async () => {
    const { statusCode, headers } = await post({ ...email, malformed: true });
    expect(statusCode).toBe(400);
    expect(headers).toMatchObject({
      'x-ratelimit-limit': '10',
      'x-ratelimit-remaining': '9',
      'x-ratelimit-reset': '600',
      'ratelimit-policy': '"ip";q=10;w=600',
      ratelimit: '"ip";r=9;t=600',
    });
    expect(increment).toHaveBeenCalledTimes(1);
    expect(await statuses(4, email)).toEqual([200, 200, 200, 429]);
  });

  it('refuse the fourth email in five minutes, from whatever address it is asked for', async () => {
    for (const remoteAddress of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) await post(email, { remoteAddress });
    clock.advance(86_500);
    const { statusCode, headers, body } = await post(email, { remoteAddress: '192.0.2.4' });
    expect(statusCode).toBe(429);
    expect(JSON.parse(body)).toEqual({
      code: 429,
      error_code: 'over_email_send_rate_limit',
      msg: 'Too many requests',
      details: 'Try again in 214 seconds',
      retry_after: 214,
    });
    expect(headers).toMatchObject({
      'retry-after': '214',
      'x-ratelimit-limit': '3',
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': '214',
      ratelimit: '"ip";r=9;t=600, "email";r=0;t=214',
    });
    clock.advance(213_500);
    expect(await statuses(1, email, { remoteAddress: '192.0.2.4' })).toEqual([200]);
  });

  it('refuse the third SMS in five minutes', async () => {
    expect(await statuses(2, sms)).toEqual([200, 200]);
    const { headers, body } = await post(sms);
    expect(JSON.parse(body)).toMatchObject({ code: 429, error_code: 'over_sms_send_rate_limit' });
    expect(headers['ratelimit-policy']).toBe('"ip";q=10;w=600, "sms";q=2;w=300');
  });

  it('refuse the eleventh request of one address, which costs the identifier nothing', async () => {
    await statuses(10, { malformed: true });
    const { statusCode, headers, body } = await post(email);
    expect(statusCode).toBe(429);
    expect(JSON.parse(body)).toMatchObject({
      error_code: 'over_request_rate_limit',
      details: 'Try again in 600 seconds',
    });
    expect(headers).toMatchObject({ 'retry-after': '600', ratelimit: '"ip";r=0;t=600' });
    expect(await statuses(4, email, { remoteAddress: '192.0.2.2' })).toEqual([200, 200, 200, 429]);
  });

  it('count the addresses of one IPv6 network together', async () => {
    await statuses(10, { malformed: true }, { remoteAddress: '2001:db8:1:2::1' });
    expect(await statuses(1, email, { remoteAddress: '2001:db8:1:2:ffff::9' })).toEqual([429]);
    expect(await statuses(1, email, { remoteAddress: '2001:db8:1:3::1' })).toEqual([200]);
  });

  it('count an address and a type together, whichever route asks, and types apart', async () => {
    expect(await statuses(2, email)).toEqual([200, 200]);
    expect(await statuses(2, email, { url: '/recover' })).toEqual([200, 429]);
    expect(await statuses(4, { ...email, kind: 'magiclink' })).toEqual([200, 200, 200, 429]);
  });

  it('count a client together on all routes that ask for messages, and challenges apart', async () => {
    expect(await statuses(6, { malformed: true })).toEqual(Array(6).fill(400));
    expect(await statuses(5, { malformed: true }, { url: '/recover' })).toEqual([400, 400, 400, 400, 429]);
    expect(await statuses(1, email)).toEqual([429]);
    expect(await statuses(11, {}, { url: '/challenge' })).toEqual([...Array<number>(10).fill(200), 429]);
  });

  it('speak of one second in the singular', async () => {
    await statuses(3, email);
    clock.advance(299_001);
    const { headers, body } = await post(email);
    expect(JSON.parse(body)).toMatchObject({ details: 'Try again in 1 second' });
    expect(headers['retry-after']).toBe('1');
  });

  it('tell the later of two waits when both limits are used up', async () => {
    await statuses(6, { malformed: true });
    await statuses(3, email);
    const { statusCode, headers, body } = await post(email);
    expect(statusCode).toBe(429);
    expect(headers).toMatchObject({ 'retry-after': '600', ratelimit: '"ip";r=0;t=600, "email";r=0;t=300' });
    expect(JSON.parse(body)).toMatchObject({
      error_code: 'over_email_send_rate_limit',
      details: 'Try again in 600 seconds',
    });
  });

  it('show the store keyed hashes and no addresses', async () => {
    await post(email);
    await post(sms);
    const seen = JSON.stringify(increment.mock.calls);
    for (const secret of ['user@example.com', 'example', '+1234567890', '1234567890', '192.0.2.1']) {
      expect(seen).not.toContain(secret);
    }
    const keys = increment.mock.calls.map(([key]: string[]) => key);
    expect(new Set(keys).size).toBe(3);
    for (const key of keys) expect(key).toMatch(/^(messages|recovery):[\w-]{22}$/);
  });

  it('let nothing pass when the body was not validated before the identifier limit', async () => {
    const { statusCode } = await post({ identifier: 'user@example.com' });
    expect(statusCode).toBe(500);
  });
});
