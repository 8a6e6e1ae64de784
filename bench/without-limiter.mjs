// The service as it is, but for the two guards that limit: what the limiter costs is the difference.
import { ThrottlerGuard } from '@nestjs/throttler';
const dist = new URL('../dist/', import.meta.url).href;
const { readConfig } = await import(`${dist}config/config.js`);
const { vendorSections } = await import(`${dist}auth/vendors/vendors.js`);
const { createLog } = await import(`${dist}platform/log.js`);
const { AppModule } = await import(`${dist}app.module.js`);
const { createAdapter, setUpApp } = await import(`${dist}app.setup.js`);
const { OneLimitThrottlerGuard } = await import(`${dist}rate-limit/one-limit-throttler.guard.js`);
const { NestFactory } = await import('@nestjs/core');

if (!(OneLimitThrottlerGuard.prototype instanceof ThrottlerGuard))
  throw new Error('The guards are no longer where this looks');
OneLimitThrottlerGuard.prototype.canActivate = () => Promise.resolve(true);

const config = readConfig(process.env, vendorSections);
const app = await NestFactory.create(AppModule.forRoot(config, createLog(config)), createAdapter(config), {
  bodyParser: false,
  logger: false,
});
await setUpApp(app);
await app.listen(config.port, config.host);
