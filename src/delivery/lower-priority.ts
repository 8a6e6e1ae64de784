import { setPriority } from 'node:os';

/** The nice value of work that no client waits for: -20 to 19, 0 by default; see setpriority(2). */
const niceValue = 10;

/**
 * Lowers the scheduling priority, so that requests go first when there is more work than processors. On Linux it is
 * about the calling thread and those that it starts; elsewhere about the whole process.
 */
export function lowerPriority(): void {
  try {
    setPriority(niceValue);
  } catch {
    // Forbidden here (EPERM, EACCES): both then share the processors as they come.
  }
}
