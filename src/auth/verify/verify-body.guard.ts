import { Injectable } from '@nestjs/common';
import { bodyGuard } from '../../request-body/body.guard.js';
import { VerifyRequest } from './verify.request.js';

@Injectable()
export class VerifyBodyGuard extends bodyGuard(VerifyRequest, { acceptForm: true }) {}
