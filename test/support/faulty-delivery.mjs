import { isMainThread, parentPort, workerData } from 'node:worker_threads';

// Loaded before the service, in each of its threads. The one that delivers breaks when it hears the word: when it is to
// start, or when it is asked for its report once more after the service has become ready.

const word = process.env['FAULT'] ?? 'report';
let left = word === 'start' ? 1 : 2;
/** @type {unknown} */
const given = workerData;
if (!isMainThread && parentPort && given !== null && typeof given === 'object' && 'config' in given) {
  const on = parentPort.on.bind(parentPort);
  // Not a listener of its own: with the first one, messages begin to flow, and those that came too early are lost.
  parentPort.on = /** @type {typeof parentPort.on} */ (
    (/** @type {'message'} */ event, /** @type {(message: unknown) => void} */ listener) =>
      on(event, (message) => {
        if (message === word) left -= 1;
        if (left === 0) throw new Error('A fault in the delivery');
        listener(message);
      })
  );
}
