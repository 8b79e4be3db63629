// Browsers, and every runtime that fetches what lies beside a module.

import { openShelfFor } from "./api.js";
import { locate } from "./wasm.js";

export * from "./errors.js";

const browser = typeof document !== "undefined" && typeof Worker !== "undefined";

/** See `index.d.ts`. */
export const openShelf = openShelfFor({
  locateWasm: locate,
  startWorker: browser
    ? () => new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "nearshelf" })
    : undefined,
  cache: browser,
});
