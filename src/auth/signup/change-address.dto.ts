import { Injectable } from '@nestjs/common';
import { ConfirmAddressDto } from '../requests/address.dto.js';
import { messageBodyGuard } from '../requests/accept-context.js';

/** The address that the user wants to have from now on. */
export class ChangeAddressDto extends ConfirmAddressDto {}

@Injectable()
export class ChangeAddressBodyGuard extends messageBodyGuard(ChangeAddressDto) {}
