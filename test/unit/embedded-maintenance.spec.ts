import { maintain } from '../../src/database/embedded/maintenance.mjs';
import { sqlOf } from '../../src/database/embedded/wire.mjs';

/** An answer whose rows have one column of text. */
function rows(...texts: string[]): Buffer {
  const messages = texts.map((text) => {
    const message = Buffer.alloc(11 + Buffer.byteLength(text));
    message.write('D');
    message.writeUInt32BE(message.length - 1, 1);
    message.writeUInt16BE(1, 5);
    message.writeUInt32BE(Buffer.byteLength(text), 7);
    message.write(text, 11);
    return message;
  });
  return Buffer.concat([...messages, Buffer.from('Z\0\0\0\x05I')]);
}

describe('Maintenance of the embedded database', () => {
  it('executes what the database says is due, and nothing else', () => {
    const executed: string[] = [];
    maintain((request) => {
      executed.push(sqlOf(request));
      return executed.length === 1 ? rows('VACUUM (ANALYZE) messages', 'CHECKPOINT') : rows();
    });
    expect(executed.slice(1)).toEqual(['VACUUM (ANALYZE) messages', 'CHECKPOINT']);
  });

  it('does nothing more than ask when nothing is due', () => {
    const execute = jest.fn(() => rows());
    maintain(execute);
    expect(execute).toHaveBeenCalledTimes(1);
  });
});
