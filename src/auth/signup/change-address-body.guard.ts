import { Injectable } from '@nestjs/common';
import { ChangeAddressRequest } from './change-address.request.js';
import { redirectingBodyGuard } from '../redirecting-body.guard.js';

@Injectable()
export class ChangeAddressBodyGuard extends redirectingBodyGuard(ChangeAddressRequest) {}
