import { escapeHtml, htmlPage, inlineScript } from '../../pages/frame.js';
import type { Language } from '../../pages/language.js';
import type { LinkType } from './verify.dto.js';
import { type VerifyTexts, verifyTexts } from './verify-page.texts.js';

interface ConfirmForm {
  readonly type: LinkType;
  readonly token: string;
  /** Where the post leads to; it is on the allow list. */
  readonly target: string;
}

export const confirmScript = inlineScript(new URL('confirm.browser.js', import.meta.url));

/** One button. It posts what the link said, since opening a link proves nothing: mail scanners open them all. */
export function confirmPage({ type, token, target }: ConfirmForm, language: Language): string {
  const texts = verifyTexts[language];
  const { title, sentences, button } = texts.confirm[type];
  return htmlPage({
    language,
    title,
    script: confirmScript,
    hasForm: true,
    body: `${textOf({ title, sentences })}
<form method="post" action="/verify">
<input type="hidden" name="type" value="${escapeHtml(type)}">
<input type="hidden" name="token" value="${escapeHtml(token)}">
<input type="hidden" name="redirect_to" value="${escapeHtml(target)}">
<p><button type="submit">${escapeHtml(button)}</button></p>
</form>
<p class="quiet">${escapeHtml(texts.beforeButton(placeOf(target, texts)))}</p>`,
  });
}

/** For a link that has done its work: a reload, the Back button, a second click on the mail. */
export function usedLinkPage({ type, target }: Omit<ConfirmForm, 'token'>, language: Language): string {
  return pageAbout(verifyTexts[language].used[type], language, target);
}

/** For a link that has expired or was never sent; which of the two, it does not say. */
export function invalidLinkPage(target: string, language: Language): string {
  return pageAbout(verifyTexts[language].invalid, language, target);
}

/** For links that were cut or mangled on their way, and for forms that are not ours. */
export function incompleteLinkPage(language: Language): string {
  return pageAbout(verifyTexts[language].incomplete, language);
}

/** For the button, when it meets an error that is not about the link; by its status. */
export function errorPage(status: number, language: Language): string {
  const { tooMany, incomplete, unavailable } = verifyTexts[language];
  if (status === 429) return pageAbout(tooMany, language);
  return pageAbout(status < 500 ? incomplete : unavailable, language);
}

function pageAbout(text: VerifyTexts['invalid'], language: Language, target?: string): string {
  const texts = verifyTexts[language];
  const onwards =
    target === undefined
      ? ''
      : `\n<p><a href="${escapeHtml(target)}">${escapeHtml(texts.goOn(placeOf(target, texts)))}</a></p>`;
  return htmlPage({ language, title: text.title, body: textOf(text) + onwards });
}

function textOf({ title, sentences }: VerifyTexts['invalid']): string {
  const paragraphs = sentences.map((sentence) => `\n<p>${escapeHtml(sentence)}</p>`);
  return `<h1>${escapeHtml(title)}</h1>${paragraphs.join('')}`;
}

/** The host, or for an app's own scheme the scheme: what a person can recognise. */
function placeOf(target: string, { app }: VerifyTexts): string {
  const { host, protocol } = new URL(target);
  return /^https?:$/.test(protocol) ? host : app(protocol);
}
