import { escapeHtml, htmlPage } from '../../html-page.js';
import type { LinkType } from './verify-link.js';

interface Wording {
  readonly title: string;
  readonly sentence: string;
  readonly button: string;
}

const wordings: Readonly<Record<LinkType, Wording>> = {
  signup: {
    title: 'Confirm your email address',
    sentence: 'One more click, and your account is confirmed.',
    button: 'Confirm my address',
  },
  recovery: {
    title: 'Recover your account',
    sentence: 'One more click, and you are signed in and can choose a new password.',
    button: 'Continue',
  },
  magiclink: { title: 'Sign in', sentence: 'One more click, and you are signed in.', button: 'Sign me in' },
  email_change: {
    title: 'Confirm your new email address',
    sentence: 'One more click, and this address replaces the old one.',
    button: 'Use this address',
  },
};

interface ConfirmForm {
  readonly type: LinkType;
  readonly token: string;
  /** Where the post leads to; it is on the allow list. */
  readonly target: string;
}

/** One button. It posts what the link said, since opening a link proves nothing: mail scanners open them all. */
export function confirmPage({ type, token, target }: ConfirmForm): string {
  const { title, sentence, button } = wordings[type];
  return htmlPage({
    title,
    body: `<h1>${title}</h1>
<p>${sentence}</p>
<form method="post" action="/verify">
<input type="hidden" name="type" value="${escapeHtml(type)}">
<input type="hidden" name="token" value="${escapeHtml(token)}">
<input type="hidden" name="redirect_to" value="${escapeHtml(target)}">
<p><button type="submit">${button}</button></p>
</form>
<p class="quiet">You will then be taken to ${escapeHtml(placeOf(target))}. If you did not ask for this, close this page: nothing happens until you press the button.</p>`,
  });
}

/** For links that were cut or mangled on their way. */
export function brokenLinkPage(): string {
  return htmlPage({
    title: 'This link is incomplete',
    body: `<h1>This link is incomplete</h1>
<p>Some mail programs break long links over two lines. Open the mail again and click the button in it, or copy the whole link into the address bar.</p>
<p>You can also type the code from the same mail where you were asked to confirm, or ask there for a new message.</p>`,
  });
}

/** The host, or for an app's own scheme the scheme: what a person can recognise. */
function placeOf(target: string): string {
  const { host, protocol } = new URL(target);
  return /^https?:$/.test(protocol) ? host : `the app that opens ${protocol} links`;
}
