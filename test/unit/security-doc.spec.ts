import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '../..');
const pages = ['docs/security.md', 'docs/testing.md'];
const textOf = (page: string) => readFileSync(join(root, page), 'utf8');

/** The tests that a page names: the file, and the sentence in it. */
const namedIn = (page: string) =>
  [...textOf(page).matchAll(/`(test\/[\w./-]+\.ts)` "([^"]+)"/g)].map(([, file = '', sentence = '']) => ({
    file,
    sentence,
  }));

describe.each(pages)('%s', (page) => {
  it('names a sentence with every test file', () => {
    expect(textOf(page).match(/\btest\/[\w./-]+spec\.ts/g)).toHaveLength(namedIn(page).length);
    expect(namedIn(page).length).toBeGreaterThan(40);
  });

  it('names only tests that exist', () => {
    const missing = namedIn(page).filter(({ file, sentence }) => {
      const path = join(root, file);
      return !existsSync(path) || !readFileSync(path, 'utf8').includes(sentence);
    });
    expect(missing).toEqual([]);
  });
});

describe('The pages about security and tests', () => {
  it('leads only to pages and headings that exist', () => {
    for (const page of [...pages, 'SECURITY.md']) {
      const links = readFileSync(join(root, page), 'utf8').matchAll(
        /\]\((?!https?:)([^)#]+)(?:#([^)]+))?\)/g,
      );
      for (const [, target = '', heading] of links) {
        const path = join(root, page, '..', target);
        expect([page, target, existsSync(path)]).toEqual([page, target, true]);
        const headings = readFileSync(path, 'utf8').matchAll(/^#+ (.*)$/gm);
        const anchors = [...headings].map(([, title = '']) => title.toLowerCase().replaceAll(' ', '-'));
        if (heading !== undefined) expect(anchors).toContain(heading);
      }
    }
  });
});
