import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Language, languages } from './language.js';

const style = readFileSync(new URL('frame.css', import.meta.url), 'utf8');

const styleHash = sourceOf(style);

/** A script within a page. A policy that names its hash lets this one run and no other. */
export interface InlineScript {
  readonly text: string;
  /** For `script-src` (Content Security Policy Level 3, section 2.3.1). */
  readonly source: string;
}

/** @param file a script of ours, without the end tag of a script in it */
export function inlineScript(file: URL): InlineScript {
  const text = readFileSync(file, 'utf8');
  return { text, source: sourceOf(text) };
}

function sourceOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

interface Page {
  readonly language?: Language;
  /** Text; it is escaped here. */
  readonly title: string;
  /** HTML; values from outside have gone through `escapeHtml`. */
  readonly body: string;
  /** A script of ours: its path, or itself. */
  readonly script?: string | InlineScript;
  /**
   * Whether a form on it must prove to us where it comes from. A page that tells no referrer makes browsers say `Origin: null`
   * with its forms (Fetch, "append a request `Origin` header"), as any site can have them say; this one tells us, and
   * still nobody else.
   */
  readonly hasForm?: boolean;
}

/** A whole page in our one style: readable without scripts, in light and dark, at any width. */
export function htmlPage({ language = languages[0], title, body, script, hasForm = false }: Page): string {
  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">${hasForm ? '\n<meta name="referrer" content="same-origin">' : ''}
<title>${escapeHtml(title)}</title>
<style>${style}</style>${typeof script === 'string' ? `\n<script src="${escapeHtml(script)}" type="module"></script>` : ''}
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
 * The headers of such a page. Nothing is loaded from elsewhere, no site may frame it (clickjacking), no address of it is
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
