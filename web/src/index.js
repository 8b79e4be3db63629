// Browsers, and every runtime that fetches what lies beside a module.

import { openShelfFor } from "./api.js";
import { locate } from "./locate.js";
import { onnx } from "./onnx.js";

export * from "./errors.js";

const browser = typeof document !== "undefined" && typeof Worker !== "undefined";

/** Workers start from scripts of the page's own origin. Where the package lies on another one, a script of the page's imports it. */
function startWorker() {
  const start = () => new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "nearshelf" });
  try {
    return start();
  } catch (error) {
    if (/** @type {any} */ (error)?.name !== "SecurityError") throw error;
  }
  // Bundlers find a worker by this very expression, and put its address there: it is known to the constructor alone.
  const Native = globalThis.Worker;
  globalThis.Worker = class extends Native {
    /** @param {string | URL} url @param {WorkerOptions} [options] */
    constructor(url, options) {
      const name = JSON.stringify(String(url));
      // Bundlers may make a classic script of the worker.
      const script = options?.type === "module" ? `import ${name};` : `importScripts(${name});`;
      super(URL.createObjectURL(new Blob([script], { type: "text/javascript" })), options);
    }
  };
  try {
    return start();
  } finally {
    globalThis.Worker = Native;
  }
}

/** See `index.d.ts`. */
export const openShelf = openShelfFor({
  modules: { locate, onnx: () => onnx },
  startWorker: browser ? startWorker : undefined,
  cache: browser,
  background: browser,
});
