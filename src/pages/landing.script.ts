/**
 * Says how a confirmation went, as the fragment tells, and takes the fragment out of the address bar and the history:
 * there is an access token in it. What is shown is chosen here, never copied from the fragment, or anybody could make
 * this page say anything with a link.
 */
export const landingScript = `'use strict';
(() => {
  const confirmed = {
    email_change: 'Your new address is confirmed.',
    magiclink: 'Your address is confirmed, and you are signed in.',
    recovery: 'Your address is confirmed, and you are signed in.',
  };
  const outcome = new URLSearchParams(location.hash.slice(1));
  let text = '';
  if (outcome.has('access_token')) {
    const type = outcome.get('type');
    text = Object.hasOwn(confirmed, type) ? confirmed[type] : 'Your address is confirmed.';
  } else if (outcome.has('error')) {
    text = outcome.get('error_code') === 'otp_expired'
      ? 'Token has expired or is invalid. It may have been used before: ask for a new message.'
      : 'The confirmation did not work. Ask for a new message.';
  }
  if (text === '') return;
  history.replaceState(null, '', location.pathname + location.search);
  document.getElementById('outcome').textContent = text;
})();
`;
