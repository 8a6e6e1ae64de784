// Reads the outcome of a confirmation from the fragment (OAuth 2.0 implicit style) and removes the fragment from the
// address bar and the history, because it holds an access token. Only texts from here are shown: text copied from
// the fragment would let any link put words on this page (content spoofing).

/** @type {Record<string, string>} */
const confirmed = {
  email_change: 'Your new address is confirmed.',
  magiclink: 'Your address is confirmed, and you are signed in.',
  recovery: 'Your address is confirmed, and you are signed in.',
};
const outcome = new URLSearchParams(location.hash.slice(1));
const type = outcome.get('type') ?? '';
let text = '';
if (outcome.has('access_token')) {
  text = (Object.hasOwn(confirmed, type) && confirmed[type]) || 'Your address is confirmed.';
} else if (outcome.has('error')) {
  text =
    outcome.get('error_code') === 'otp_expired'
      ? 'Token has expired or is invalid. It may have been used before: ask for a new message.'
      : 'The confirmation did not work. Ask for a new message.';
}
const status = document.getElementById('outcome');
if (text !== '' && status) {
  history.replaceState(null, '', location.pathname + location.search);
  status.textContent = text;
}
