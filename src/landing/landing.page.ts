import { htmlPage } from '../html-page.js';

/** The front door: for developers who look around, and where people arrive after a click when no site is configured. */
export function landingPage({ withInbox }: { withInbox: boolean }): string {
  const inbox = withInbox
    ? '<li><a href="/inbox">Development inbox</a>: every mail and SMS that was sent</li>\n'
    : '';
  return htmlPage({
    title: 'Strike Auth',
    script: '/landing.js',
    body: `<p role="status" id="outcome"></p>
<h1>Strike Auth is running</h1>
<p>It gets a lost confirmation to the person who is waiting for it.</p>
<ul>
<li><a href="/docs">API documentation</a>, with every endpoint to try</li>
${inbox}<li><a href="/health/ready">Readiness</a></li>
</ul>`,
  });
}
