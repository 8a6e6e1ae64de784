import { filesOf } from './groups.mjs';

/** Runs the files of a group here, each in a `describe` of its own, so that its hooks are about its tests alone. */
export function together(group: string): void {
  describe.each(filesOf(group))('%s', (file) => {
    afterAll(() => jest.restoreAllMocks());
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- `describe` cannot wait for `import()`
    require(`../${file}`);
  });
}
