import { Injectable } from '@nestjs/common';
import { ConfirmAddressDto } from '../requests/address.dto.js';
import { messageBodyGuard } from '../requests/accept-context.js';

/** The address that the user wants to have from now on. */
export class ChangeAddressDto extends ConfirmAddressDto {}

/** Stands after `BearerGuard`. Counted by account: nobody can use up what others may ask for, whatever address they want. */
@Injectable()
export class ChangeAddressBodyGuard extends messageBodyGuard(ChangeAddressDto, (_body, { bearerId }) => {
  if (bearerId === undefined) throw new Error('BearerGuard must stand before');
  return { kind: 'new address', who: bearerId };
}) {}
