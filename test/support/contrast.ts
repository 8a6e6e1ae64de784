import type { Page } from 'playwright-core';

/** As text, because it runs in the browser and knows what is there. */
const measure = `(() => {
  const channels = (color) => (color.match(/[\\d.]+/g) ?? []).map(Number);
  const luminance = (color) => {
    const [r, g, b] = channels(color).map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const backgroundOf = (element) => {
    for (let behind = element; behind; behind = behind.parentElement) {
      const { backgroundColor } = getComputedStyle(behind);
      if (channels(backgroundColor)[3] !== 0) return backgroundColor;
    }
    return 'rgb(255, 255, 255)';
  };
  const ratioOf = (element) => {
    const colors = [getComputedStyle(element).color, backgroundOf(element)];
    if (colors.some((color) => (channels(color)[3] ?? 1) !== 1)) return 0;
    const [light, dark] = colors.map(luminance).sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) {
    const text = texts.currentNode.textContent.trim();
    const element = texts.currentNode.parentElement;
    if (text !== '' && element.checkVisibility()) found.push({ text, ratio: ratioOf(element) });
  }
  return found;
})()`;

/**
 * The texts of the page, each with its contrast to what is behind it, as the browser has computed both (WCAG 2.2, success
 * criterion 1.4.3). Translucent colours, which this does not mix, count as no contrast at all.
 */
export function contrastsOf(page: Page): Promise<{ text: string; ratio: number }[]> {
  return page.evaluate(measure);
}
