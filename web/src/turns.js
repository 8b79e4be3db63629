// Turns of a thread: one piece of work after the other, with a breath between them, so that messages, aborts and timers
// come in time however many searches wait.

import { abortReason } from "./failure.js";

/** Calls back when events that wait were seen to. @type {(callback: () => void) => void} */
const breathe =
  // Timers of an edge function end with the request that set them, and other requests wait in the same line.
  globalThis.navigator?.userAgent === "Cloudflare-Workers" || "EdgeRuntime" in globalThis
    ? queueMicrotask
    : typeof setImmediate === "function"
    ? setImmediate
    : typeof MessageChannel === "function" && typeof document !== "undefined"
      ? breatheByMessage()
      : (callback) => setTimeout(callback);

/** Timers of pages wait 4 ms where they follow each other; messages do not. */
function breatheByMessage() {
  /** @type {(() => void)[]} */
  const waiting = [];
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => waiting.shift()?.();
  return (/** @type {() => void} */ callback) => {
    waiting.push(callback);
    port2.postMessage(undefined);
  };
}

export class Turns {
  /** @type {{ run: () => void }[]} */
  #waiting = [];
  #busy = false;

  /**
   * Runs `work` when its turn comes. Aborting takes it out of the line at once.
   * @template T
   * @param {AbortSignal | undefined} signal
   * @param {() => T | Promise<T>} work
   * @returns {Promise<T>}
   */
  take(signal, work) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(abortReason(signal));
      const turn = {
        run: () => {
          signal?.removeEventListener("abort", stop);
          try {
            resolve(work());
          } catch (error) {
            reject(error);
          }
        },
      };
      const stop = () => {
        const at = this.#waiting.indexOf(turn);
        if (at >= 0) this.#waiting.splice(at, 1);
        reject(abortReason(/** @type {AbortSignal} */ (signal)));
      };
      signal?.addEventListener("abort", stop, { once: true });
      this.#waiting.push(turn);
      if (this.#busy) return;
      this.#busy = true;
      queueMicrotask(() => this.#next());
    });
  }

  #next() {
    const turn = this.#waiting.shift();
    if (!turn) {
      this.#busy = false;
      return;
    }
    turn.run();
    breathe(() => this.#next());
  }
}

/**
 * Waits for `promise`: its value, or the signal's reason as soon as it is aborted.
 * @template T
 * @param {AbortSignal | undefined} signal
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
export function abortable(signal, promise) {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(abortReason(signal));
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
