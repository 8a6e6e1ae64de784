// Positive control: a variant of the service with a timing side channel. It looks the user up before it accepts, as many
// services do; the answer differs in nothing but its time.
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { DataSource } from 'typeorm';

/** @param {string} name */
const built = (name) => import(new URL(`../../dist/${name}.js`, import.meta.url).href);

const { AppModule } = await built('app.module');
const { createAdapter, setUpApp } = await built('app.setup');
const { UsersRepository } = await built('auth/users/users.repository');
const { readConfig } = await built('config/config');
const { vendorSections } = await built('auth/vendors/vendors');
const { createLog } = await built('platform/log');

const config = readConfig(process.env, vendorSections);
const app = await NestFactory.create(AppModule.forRoot(config, createLog(config)), createAdapter(config), {
  bodyParser: false,
  logger: ['error'],
});
await setUpApp(app);
const users = app.get(UsersRepository);
const database = app.get(DataSource);

app.useGlobalInterceptors({
  /** @param {import('@nestjs/common').ExecutionContext} context @param {import('@nestjs/common').CallHandler} next */
  async intercept(context, next) {
    const { identifier } = context.switchToHttp().getRequest().body ?? {};
    const user = identifier === undefined ? null : await users.find('email', identifier);
    if (user) await database.query('SELECT max(id::text) FROM tokens WHERE user_id = $1', [user.id]);
    return next.handle();
  },
});
await app.listen(config.port, config.host);
