import { createHash } from 'node:crypto';
import { type Language, languages } from './language.js';

const style = `
:root { color-scheme: light dark; --ink: #1a1f2b; --quiet: #566074; --paper: #f4f5f8; --card: #fff; --accent: #1f4fd8; --on-accent: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #eceff5; --quiet: #a6aec0; --paper: #12151c; --card: #1c212c; --accent: #8fb0ff; --on-accent: #10131a; }
}
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem; background: var(--paper);
  color: var(--ink); font: 1.05rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { width: 100%; max-width: 30rem; padding: 2rem; border-radius: 1rem; background: var(--card); overflow-wrap: anywhere; }
h1 { margin: 0 0 .75rem; font-size: 1.5rem; line-height: 1.25; }
p, ul { margin: 0 0 1rem; }
a { color: var(--accent); }
.quiet { color: var(--quiet); font-size: .95rem; }
button { width: 100%; padding: .85rem 1.25rem; border: 0; border-radius: .6rem; background: var(--accent);
  color: var(--on-accent); font: inherit; font-weight: 600; cursor: pointer; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; }
[role="status"]:not(:empty) { margin: 0 0 1rem; padding: .75rem 1rem; border-left: .3rem solid var(--accent); background: var(--paper); }
`;

const styleHash = sourceOf(style);

/** A script within a page. A policy that names its hash lets this one run and no other. */
export interface InlineScript {
  readonly text: string;
  /** For `script-src` (Content Security Policy Level 3, section 2.3.1). */
  readonly source: string;
}

/** @param text ours, and without the end tag of a script */
export function inlineScript(text: string): InlineScript {
  return { text, source: sourceOf(text) };
}

function sourceOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

interface Page {
  readonly language?: Language;
  /** Text; it is escaped here. */
  readonly title: string;
  /** HTML: whatever stands in it from outside has gone through `escapeHtml`. */
  readonly body: string;
  /** A script of ours: its path, or itself. */
  readonly script?: string | InlineScript;
}

/** A whole page in our one style: readable without scripts, in light and dark, at any width. */
export function htmlPage({ language = languages[0], title, body, script }: Page): string {
  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<title>${escapeHtml(title)}</title>
<style>${style}</style>${typeof script === 'string' ? `\n<script src="${escapeHtml(script)}" defer></script>` : ''}
</head>
<body>
<main>
${body}
</main>${typeof script === 'object' ? `\n<script>${script.text}</script>` : ''}
</body>
</html>
`;
}

interface PagePolicy {
  /** Sources to which a form may lead, redirects included, such as `'self' https:`. */
  readonly formAction?: string;
  /** Where scripts may come from. */
  readonly script?: string;
}

/**
 * The headers of such a page. Nothing is loaded from anywhere but here, nobody may frame it, no address of it is
 * told to the next site, nothing is kept.
 */
export function pageHeaders({ formAction = `'none'`, script = `'none'` }: PagePolicy = {}) {
  return {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': [
      `default-src 'none'`,
      `script-src ${script}`,
      `style-src ${styleHash}`,
      `base-uri 'none'`,
      `form-action ${formAction}`,
      `frame-ancestors 'none'`,
    ].join('; '),
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    'X-Robots-Tag': 'noindex, nofollow',
  };
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text as it may stand in HTML, between tags and in quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => escapes[character] ?? character);
}
