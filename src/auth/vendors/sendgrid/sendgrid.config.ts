import { createPublicKey } from 'node:crypto';
import { Section, variable } from '../../../config/section.js';

/** An ECDSA key as SendGrid shows it: the base64 of its DER, without the lines of a PEM around it. */
function verificationKey(given: string): string {
  try {
    const key = createPublicKey({ key: Buffer.from(given, 'base64'), format: 'der', type: 'spki' });
    if (key.asymmetricKeyType === 'ec') return given;
  } catch {
    // The words of OpenSSL help no operator; the remedy below does.
  }
  throw new Error('must be the verification key that SendGrid shows beside the webhook');
}

export const sendgridConfig = new Section('SendGrid', {
  verificationKey: variable('SENDGRID_VERIFICATION_KEY', verificationKey, {
    about: 'The key that SendGrid shows beside its signed event webhook.',
  }),
});
