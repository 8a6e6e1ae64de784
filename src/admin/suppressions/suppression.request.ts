import { AddressRequest } from '../../auth/address.request.js';

/** Whom the suppression list is about. */
export class SuppressionRequest extends AddressRequest {}
