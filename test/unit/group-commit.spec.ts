import { GroupCommit, GroupCommitOverflow, GroupCommitTimeout } from '../../src/platform/group-commit.js';

/** A commit that ends when the test says so. */
function heldCommit() {
  const batches: { items: number[]; succeed: () => void; fail: (error: Error) => void }[] = [];
  const commit = (items: number[]) =>
    new Promise<void>((succeed, fail) => {
      batches.push({ items, succeed, fail });
    });
  return { batches, commit };
}

const nextTurn = () => new Promise(setImmediate);

describe('a group commit', () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  it('commits what arrives in one turn of the event loop together', async () => {
    const { batches, commit } = heldCommit();
    const group = new GroupCommit(commit);
    const added = [group.add(1), group.add(2), group.add(3)];
    await nextTurn();
    expect(batches.map(({ items }) => items)).toEqual([[1, 2, 3]]);
    batches[0]?.succeed();
    await Promise.all(added);
  });

  it('answers only when the commit has ended', async () => {
    const { batches, commit } = heldCommit();
    let answered = false;
    const added = new GroupCommit(commit).add(1).then(() => (answered = true));
    await nextTurn();
    await nextTurn();
    expect(answered).toBe(false);
    batches[0]?.succeed();
    await added;
    expect(answered).toBe(true);
  });

  it('lets what arrives during a commit share the next one', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    const { batches, commit } = heldCommit();
    const group = new GroupCommit(commit);
    const added: Promise<void>[] = [];
    for (const item of [1, 2, 3]) {
      added.push(group.add(item));
      await nextTurn();
    }
    expect(batches.map(({ items }) => items)).toEqual([[1]]);
    batches[0]?.succeed();
    await added[0];
    await nextTurn();
    expect(batches.map(({ items }) => items)).toEqual([[1], [2, 3]]);
    batches[1]?.succeed();
    await Promise.all(added);
  });

  it('does not wait for a commit that takes longer than the minimum interval', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    const { batches, commit } = heldCommit();
    const group = new GroupCommit(commit);
    const added = [group.add(1)];
    await nextTurn();
    added.push(group.add(2));
    jest.advanceTimersByTime(19);
    await nextTurn();
    expect(batches.map(({ items }) => items)).toEqual([[1]]);
    jest.advanceTimersByTime(1);
    await nextTurn();
    expect(batches.map(({ items }) => items)).toEqual([[1], [2]]);
    for (const { succeed } of batches) succeed();
    await Promise.all(added);
  });

  it('keeps at most two under way, and sends what waited meanwhile as one', async () => {
    const { batches, commit } = heldCommit();
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    const group = new GroupCommit(commit);
    const added: Promise<void>[] = [];
    for (let item = 1; item <= 6; item++) {
      added.push(group.add(item));
      jest.advanceTimersByTime(20);
      await nextTurn();
    }
    expect(batches.map(({ items }) => items)).toEqual([[1], [2]]);
    batches[0]?.succeed();
    await nextTurn();
    await nextTurn();
    expect(batches[2]?.items).toEqual([3, 4, 5, 6]);
    batches[1]?.succeed();
    batches[2]?.succeed();
    await Promise.all(added);
  });

  it('rejects every item of the batch whose commit fails, and no other', async () => {
    const { batches, commit } = heldCommit();
    const group = new GroupCommit(commit);
    const first = Promise.allSettled([group.add(1), group.add(2)]);
    await nextTurn();
    const second = group.add(3);
    batches[0]?.fail(new Error('disk full'));
    expect((await first).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await nextTurn();
    batches[1]?.succeed();
    await expect(second).resolves.toBeUndefined();
  });

  it('splits what is larger than a batch may be', async () => {
    const { batches, commit } = heldCommit();
    const group = new GroupCommit(commit);
    const added = Array.from({ length: 501 }, (_, item) => group.add(item));
    await nextTurn();
    await nextTurn();
    expect(batches.map(({ items }) => items.length)).toEqual([500, 1]);
    for (const { succeed } of batches) succeed();
    await Promise.all(added);
  });

  it('refuses at once when too many wait already', async () => {
    const { batches, commit } = heldCommit();
    const group = new GroupCommit(commit);
    const waiting = Array.from({ length: 20_000 }, (_, item) => group.add(item));
    await expect(group.add(20_000)).rejects.toBeInstanceOf(GroupCommitOverflow);
    for (let done = 0; done < 40; done++) {
      while (!batches[done]) await nextTurn();
      batches[done]?.succeed();
    }
    await Promise.all(waiting);
  });

  it('rejects items that have waited too long, and goes on with the others', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    const { batches, commit } = heldCommit();
    const group = new GroupCommit(commit);
    const underWay = [group.add(1)];
    await nextTurn();
    underWay.push(group.add(2));
    jest.advanceTimersByTime(20);
    await nextTurn();
    const late = expect(group.add(3)).rejects.toBeInstanceOf(GroupCommitTimeout);
    jest.advanceTimersByTime(15_001);
    const inTime = group.add(4);
    for (const { succeed } of batches) succeed();
    await Promise.all([...underWay, late]);
    await nextTurn();
    expect(batches[2]?.items).toEqual([4]);
    batches[2]?.succeed();
    await inTime;
  });
});
