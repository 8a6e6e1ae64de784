import {
  type CircuitState,
  failuresToOpen,
  firstPauseMs,
  longestPauseMs,
  ProviderCircuit,
} from '../../src/auth/send/provider-circuits.js';
import {
  PermanentDeliveryError,
  TransientDeliveryError,
} from '../../src/auth/messages/notification-provider.js';
import { WebhookSmsProvider } from '../../src/auth/vendors/webhook/webhook-sms.provider.js';
import { eventually } from '../support/eventually.js';
import { SmsGateway } from '../support/sms-gateway.js';
import { TestClock } from '../support/test-clock.js';

const secret = `whsec_${Buffer.alloc(32, 'key').toString('base64')}`;
const message = {
  messageId: 'msg_0198c0ffee7b7c1e9d1f2a3b4c5d6e7f',
  to: '+1234567890',
  subject: '',
  text: 'Your code is 123456',
  html: '',
};

let gateway: SmsGateway;
let clock: TestClock;
let circuit: ProviderCircuit;
let switches: CircuitState[];

beforeEach(async () => {
  gateway = await SmsGateway.start();
  clock = new TestClock();
  switches = [];
  const provider = new WebhookSmsProvider({ url: gateway.url, secret }, clock);
  circuit = new ProviderCircuit(provider, clock, (state) => switches.push(state));
});

afterEach(() => gateway.stop());

async function failing(times: number): Promise<void> {
  for (let n = 0; n < times; n++) {
    await expect(circuit.send(message)).rejects.toBeInstanceOf(TransientDeliveryError);
  }
}

async function open(): Promise<void> {
  gateway.answerWith(503);
  await failing(failuresToOpen);
  expect(circuit.state).toBe('open');
}

it('opens after so many failures in a row, and takes no message then', async () => {
  gateway.answerWith(503);
  await failing(failuresToOpen - 1);
  expect([circuit.state, circuit.takesMessages]).toEqual(['closed', true]);
  await failing(1);
  expect([circuit.state, circuit.takesMessages]).toEqual(['open', false]);
  expect(switches).toEqual(['open']);
});

it.each([
  ['a message that is taken', 200],
  ['a message that is refused for good', 422],
  ['a message that it has in hand already', 409],
])('counts anew after %s', async (_what, status) => {
  gateway.answerWith(503);
  await failing(failuresToOpen - 1);
  gateway.answerWith(status);
  await circuit.send(message).catch(() => undefined);
  gateway.answerWith(503);
  await failing(failuresToOpen - 1);
  expect(circuit.state).toBe('closed');
});

it('is not opened by refusals, however many', async () => {
  gateway.answerWith(422);
  for (let n = 0; n < 3 * failuresToOpen; n++) {
    await expect(circuit.send(message)).rejects.toBeInstanceOf(PermanentDeliveryError);
  }
  expect(switches).toEqual([]);
});

it('lets one message through after its pause, and no other until that has ended', async () => {
  await open();
  clock.advance(firstPauseMs - 1);
  expect(circuit.takesMessages).toBe(false);
  clock.advance(1);
  expect(circuit.takesMessages).toBe(true);
  gateway.answer = null;
  const asked = gateway.requests.length;
  const probe = circuit.send(message);
  expect([circuit.state, circuit.takesMessages]).toEqual(['half-open', false]);
  await eventually('the probe at the gateway', () => gateway.requests.length > asked);
  gateway.answerWith(200, '{}');
  // The connection of the unanswered request is closed: the probe has failed.
  await gateway.stop();
  await expect(probe).rejects.toMatchObject({ outcomeUnknown: true });
  expect(switches).toEqual(['open', 'half-open', 'open']);
});

it('closes when the probe is taken, and when it is refused for good', async () => {
  for (const status of [200, 422]) {
    await open();
    clock.advance(firstPauseMs);
    gateway.answerWith(status);
    await circuit.send(message).catch(() => undefined);
    expect([circuit.state, circuit.takesMessages]).toEqual(['closed', true]);
  }
});

it('pauses twice as long after each probe that fails, up to a minute, and briefly again after it has worked', async () => {
  await open();
  const pauses = [];
  for (let n = 0; n < 6; n++) {
    pauses.push(circuit.waitMs(0));
    clock.advance(circuit.waitMs(0));
    await failing(1);
  }
  expect(pauses).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
  expect(longestPauseMs).toBe(60_000);
  clock.advance(longestPauseMs);
  gateway.answerWith(200, '{}');
  await circuit.send(message);
  await open();
  expect(circuit.waitMs(0)).toBe(firstPauseMs);
});

it('spreads those who wait over as long again as the pause', async () => {
  await open();
  clock.advance(1_000);
  expect(circuit.waitMs(0)).toBe(firstPauseMs - 1_000);
  expect(circuit.waitMs(0.5)).toBe(1.5 * firstPauseMs - 1_000);
});

it('calls what a provider throws against its contract unknown, and a failure of it', async () => {
  const provider = new WebhookSmsProvider({ url: gateway.url, secret }, clock);
  provider.send = () => Promise.reject(new TypeError('not a function'));
  circuit = new ProviderCircuit(provider, clock, (state) => switches.push(state));
  for (let n = 0; n < failuresToOpen; n++) {
    await expect(circuit.send(message)).rejects.toMatchObject({
      reason: 'internal_error',
      outcomeUnknown: true,
    });
  }
  expect(switches).toEqual(['open']);
});
