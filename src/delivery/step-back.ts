import { setPriority } from 'node:os';

/** Of -20 to 19, with 0 for everybody else; see setpriority(2). */
const behindTheAnswers = 10;

/**
 * Lets those go first who wait for an answer, when there are more of both than processors. On Linux it is about the calling
 * thread and those that it starts; elsewhere about the whole process.
 */
export function stepBack(): void {
  try {
    setPriority(behindTheAnswers);
  } catch {
    // Where that is forbidden nothing is wrong: the two share as they come.
  }
}
