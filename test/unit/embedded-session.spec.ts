import { Session } from '../../src/database/embedded/session.mjs';
import { fatalError, query, sqlOf } from '../../src/database/embedded/wire.mjs';

/** A database that only knows BEGIN and everything that ends a transaction. */
function fakeDatabase() {
  const executed: string[] = [];
  let status = 'I';
  const execute = (request: Buffer) => {
    const sql = sqlOf(request);
    executed.push(sql);
    if (sql === 'BEGIN') status = 'T';
    if (sql === 'COMMIT' || sql === 'ROLLBACK') status = 'I';
    return Buffer.from(`Z\0\0\0\x05${status}`);
  };
  return { executed, execute };
}

const connection = () => ({ send: jest.fn(), close: jest.fn() });

describe('Connections that share one session', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('wait while another is inside a transaction, and go on in order', () => {
    const { executed, execute } = fakeDatabase();
    const session = new Session(execute, 1_000);
    const [inside, second, third] = [connection(), connection(), connection()];

    session.submit(inside, query('BEGIN'));
    session.submit(second, query('SELECT 2'));
    session.submit(third, query('SELECT 3'));
    expect(session.free).toBe(false);
    session.submit(inside, query('COMMIT'));

    expect(executed).toEqual(['BEGIN', 'COMMIT', 'SELECT 2', 'SELECT 3']);
    expect(session.free).toBe(true);
  });

  it('lose the session, with the error that PostgreSQL has for it, when they forget a transaction', () => {
    const { executed, execute } = fakeDatabase();
    const session = new Session(execute, 1_000);
    const [forgetful, waiting] = [connection(), connection()];

    session.submit(forgetful, query('BEGIN'));
    session.submit(waiting, query('SELECT 1'));
    jest.advanceTimersByTime(999);
    expect(executed).toEqual(['BEGIN']);
    jest.advanceTimersByTime(1);

    expect(executed).toEqual(['BEGIN', 'ROLLBACK', 'SELECT 1']);
    expect(forgetful.send).toHaveBeenLastCalledWith(
      fatalError('25P03', 'terminating connection due to idle-in-transaction timeout'),
    );
    expect(forgetful.close).toHaveBeenCalled();
  });

  it('may take all the time they like inside a transaction as long as nobody waits', () => {
    const { executed, execute } = fakeDatabase();
    const session = new Session(execute, 1_000);
    const alone = connection();

    session.submit(alone, query('BEGIN'));
    jest.advanceTimersByTime(60_000);
    session.submit(alone, query('COMMIT'));

    expect(executed).toEqual(['BEGIN', 'COMMIT']);
  });

  it('are forgotten with what they still wanted when they leave', () => {
    const { executed, execute } = fakeDatabase();
    const session = new Session(execute, 1_000);
    const [inside, leaving] = [connection(), connection()];

    session.submit(inside, query('BEGIN'));
    session.submit(leaving, query('DELETE'));
    session.leave(leaving);
    session.leave(inside);

    expect(executed).toEqual(['BEGIN', 'ROLLBACK']);
  });
});
