/** What the file under test, with all that it takes along, has to give back when its last test has ended. */
const tasks: (() => Promise<void>)[] = [];

export function atEnd(task: () => Promise<void>): void {
  tasks.push(task);
}

export async function endAll(): Promise<void> {
  for (const task of tasks.splice(0).reverse()) await task();
}
