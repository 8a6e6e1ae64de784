import { OneAddressRequest } from './one-address.request.js';

/** The address that the user wants to have from now on. */
export class ChangeAddressRequest extends OneAddressRequest {}
