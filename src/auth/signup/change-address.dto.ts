import { Injectable } from '@nestjs/common';
import { ConfirmAddressDto } from '../requests/address.dto.js';
import { redirectingBodyGuard } from '../requests/message-body.guard.js';

/** The address that the user wants to have from now on. */
export class ChangeAddressDto extends ConfirmAddressDto {}

@Injectable()
export class ChangeAddressBodyGuard extends redirectingBodyGuard(ChangeAddressDto) {}
