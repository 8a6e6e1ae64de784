// What Nest itself can do: a POST on Fastify with a DTO that the stock ValidationPipe validates, and nothing behind it.
import 'reflect-metadata';
import { Body, Controller, HttpCode, Module, Post, ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { IsEmail, IsIn, IsOptional, IsString } from 'class-validator';

class Request {}
IsIn(['signup', 'recovery', 'magiclink', 'email_change', 'sms'])(Request.prototype, 'type');
IsEmail()(Request.prototype, 'email');
IsOptional()(Request.prototype, 'redirect_to');
IsString()(Request.prototype, 'redirect_to');

class BareController {
  resend() {
    return { message_id: 'msg_0198c0ffee7b7c1e9d1f2a3b4c5d6e7f' };
  }
}
/** @type {TypedPropertyDescriptor<any>} */
const method = Object.getOwnPropertyDescriptor(BareController.prototype, 'resend') ?? {};
Reflect.defineMetadata('design:paramtypes', [Request], BareController.prototype, 'resend');
Body()(BareController.prototype, 'resend', 0);
Post('resend')(BareController.prototype, 'resend', method);
HttpCode(200)(BareController.prototype, 'resend', method);
Controller()(BareController);

class BareModule {}
Module({ controllers: [BareController] })(BareModule);

const app = await NestFactory.create(BareModule, new FastifyAdapter(), { logger: false });
app.useGlobalPipes(new ValidationPipe({ transform: true }));
await app.listen(Number(process.env['PORT']), '127.0.0.1');
