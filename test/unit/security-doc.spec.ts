import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '../..');
const text = readFileSync(join(root, 'docs/security.md'), 'utf8');

/** A test as the document names it: the file, and the sentence in it. */
const named = [...text.matchAll(/`(test\/[\w./-]+)` "([^"]+)"/g)].map(([, file = '', sentence = '']) => ({
  file,
  sentence,
}));

describe('docs/security.md', () => {
  it('names a sentence with every test file', () => {
    expect(text.match(/\btest\/[\w./-]+/g)).toHaveLength(named.length);
    expect(named.length).toBeGreaterThan(50);
  });

  it('names only tests that exist', () => {
    const missing = named.filter(({ file, sentence }) => {
      const path = join(root, file);
      return !existsSync(path) || !readFileSync(path, 'utf8').includes(sentence);
    });
    expect(missing).toEqual([]);
  });

  it('leads only to pages and headings that exist', () => {
    for (const page of ['docs/security.md', 'SECURITY.md']) {
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
