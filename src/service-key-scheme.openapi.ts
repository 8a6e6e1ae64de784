/** What the OpenAPI document calls the way in for operators. */
export const serviceKeyScheme = 'service-key';
