import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig, variableNames } from '../../src/config/config.js';

const lines = readFileSync(join(__dirname, '../../.env.example'), 'utf8').split('\n');
const variable = /^#([A-Z][A-Z0-9_]*)=(.*)$/;

/** The variables of .env.example, which are all commented out, with what they say is the default. */
const example = lines.flatMap((line, index) => {
  const [, name, value] = variable.exec(line) ?? [];
  return name === undefined ? [] : [{ name, value, before: lines[index - 1] }];
});

describe('.env.example', () => {
  it('names exactly the variables that the service reads, each once', () => {
    expect(example.map(({ name }) => name).sort()).toEqual([...variableNames].sort());
  });

  it('sets none of them: whoever copies it gets the defaults', () => {
    expect(lines.filter((line) => line !== '' && !line.startsWith('#'))).toEqual([]);
  });

  it('tells the defaults as they are', () => {
    const given = Object.fromEntries(example.map(({ name, value }) => [name, value]));
    expect(readConfig(given)).toEqual(readConfig({}));
  });

  it.each(example)('explains $name on the line before it', ({ before }) => {
    expect(before).toMatch(/^# \S.*\.$/);
  });
});
