import request from 'supertest';
import { type RunningApp, startApp } from './support/start-app.js';

// The four tests of the document that the service began with, with its requests and its expectations.

let running: RunningApp;
let app: string;

beforeAll(async () => {
  running = await startApp();
  app = running.url;
});

afterAll(() => running.stop());

describe('POST /resend', () => {
  test('should resend email confirmation', async () => {
    const response = await request(app)
      .post('/resend')
      .send({
        type: 'signup',
        email: 'test@example.com',
      })
      .expect(200);

    expect((response.body as { message_id?: string }).message_id).toBeDefined();
  });

  test('should resend SMS confirmation', async () => {
    const response = await request(app)
      .post('/resend')
      .send({
        type: 'sms',
        phone: '+1234567890',
      })
      .expect(200);

    expect((response.body as { message_id?: string }).message_id).toBeDefined();
  });

  test('should reject missing email for email type', async () => {
    await request(app)
      .post('/resend')
      .send({
        type: 'signup',
      })
      .expect(400);
  });

  test('should respect rate limits', async () => {
    // Send multiple requests quickly
    for (let i = 0; i < 5; i++) {
      await request(app).post('/resend').send({
        type: 'signup',
        email: 'test@example.com',
      });
    }

    // Should be rate limited
    await request(app)
      .post('/resend')
      .send({
        type: 'signup',
        email: 'test@example.com',
      })
      .expect(429);
  });
});
