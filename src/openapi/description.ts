/** What stands above the endpoints, in Markdown. */
export const apiDescription = `Gets a lost confirmation to the person who is waiting for it.

### One answer for everybody
\`POST /resend\` and \`POST /signup\` do not tell whether an address belongs to somebody. Every well-formed request within
the limits gets the same answer, written before anybody has looked. It means that the request is stored and survives
a crash; a message follows when there is somebody to send it to.

### Limits
| What | Requests | Window | Counted by |
|---|---|---|---|
| Email confirmations | 3 | 5 minutes | address and type |
| SMS confirmations | 2 | 5 minutes | number and type |
| General, all routes that ask for a message together | 10 | 10 minutes | client IP (IPv6: its /64) |

\`POST /signup\` counts apart from resends of type \`signup\`, \`PUT /user\` by account, and \`GET /captcha/challenge\`
has a general limit of its own. The operator can change them. The windows slide: a refused request does not prolong the wait. Known and unknown
addresses are counted alike. Every answer of a limited endpoint says what is left, in \`X-RateLimit-Limit\`,
\`X-RateLimit-Remaining\` and \`X-RateLimit-Reset\` for the limit with the fewest left, and for all limits in
\`RateLimit-Policy\` and \`RateLimit\`. With 429 comes \`Retry-After\`. A page on another origin can read all of them.

### Captcha
Where the operator wants it, always or when a quota is nearly spent, the answer is 400 \`captcha_failed\`: solve the captcha
of the page and send the request again with its token as \`captcha_token\`. A quota that others have spent does not keep
out whoever can solve one: behind a captcha there may be a second, which the headers call \`ip-captcha\`,
\`email-captcha\` and \`sms-captcha\`.

### Errors
\`{"code", "error_code", "msg", "details"}\`: the HTTP status, a code from a closed list for programs, what happened, and
what to do; with 429 and 503 \`retry_after\`, in seconds, too. With \`Accept: application/problem+json\` the members of RFC 9457 come beside them.`;

/** The groups of endpoints, in the order in which they are shown. */
export const tags = {
  Confirmations: 'Send a confirmation again.',
  Verification: 'The link is clicked, or the code is typed.',
  Users: 'Sign up, and change an address.',
  'Delivery events':
    'For the providers who carry the messages: what became of them, and what people write back.',
  Keys: 'For whoever checks access tokens.',
  'Development inbox':
    'Every mail and SMS that was sent, to read and to click. Only in development, and only without `SMTP_URL`.',
  Operations: 'For whoever runs the service.',
  Admin: 'Messages, the suppression list and counts, for who holds the service key.',
} as const;
