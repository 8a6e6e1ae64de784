import { Injectable } from '@nestjs/common';
import { OneAddressRequest } from '../requests/address.dto.js';
import { redirectingBodyGuard } from '../requests/message-body.guard.js';

/** The address that the user wants to have from now on. */
export class ChangeAddressRequest extends OneAddressRequest {}

@Injectable()
export class ChangeAddressBodyGuard extends redirectingBodyGuard(ChangeAddressRequest) {}
