// How errors are made: by code, from what the module threw, and across the boundary of a worker.

import {
  NearshelfError,
  NetworkError,
  PlatformError,
  ShelfError,
  StorageError,
  UsageError,
  VersionError,
} from "./errors.js";

/** @type {Record<string, typeof NearshelfError>} */
const CLASSES = {
  network: NetworkError,
  timeout: NetworkError,
  http: NetworkError,
  stale: NetworkError,
  kept: NetworkError,
  "not-a-shelf": ShelfError,
  altered: ShelfError,
  format: ShelfError,
  missing: ShelfError,
  "no-shelf": ShelfError,
  "too-new": VersionError,
  module: PlatformError,
  unsupported: PlatformError,
  "no-wasm": PlatformError,
  "no-simd": PlatformError,
  "wasm-blocked": PlatformError,
  "worker-blocked": PlatformError,
  "worker-offline": PlatformError,
  memory: PlatformError,
  crashed: PlatformError,
  quota: StorageError,
};

/**
 * An error of the class that belongs to a code.
 * @param {string} code
 * @param {string} what
 * @param {{ url?: string, status?: number, cause?: unknown }} [details]
 */
export function failure(code, what, details) {
  const Class = CLASSES[code] ?? UsageError;
  return new Class(code, what, details);
}

/** An option that is not as it should be. @param {string} at @param {string} expected @param {unknown} found */
export const wrong = (at, expected, found) =>
  failure("options", `${at}: expected ${expected}, found ${typeof found === "object" ? JSON.stringify(found) : String(found)}.`);

/** @param {unknown} error */
export const isAbort = (error) => /** @type {any} */ (error)?.name === "AbortError";

/** The reason of a signal as what `fetch` would throw. @param {AbortSignal} signal */
export const abortReason = (signal) => signal.reason ?? new DOMException("The operation was aborted.", "AbortError");

/** An error of the wasm module as one of ours. @param {any} error */
export function fromEngine(error) {
  if (error instanceof NearshelfError || isAbort(error)) return error;
  const WasmError = /** @type {any} */ (globalThis).WebAssembly?.RuntimeError;
  if (WasmError && error instanceof WasmError) {
    return failure("crashed", `The engine stopped (${error.message}).`, { cause: error });
  }
  if (error instanceof RangeError && /memory|allocation|array length/i.test(error.message)) return failure("memory", `${error.message}.`, { cause: error });
  if (typeof error?.code === "string") return failure(error.code, `${error.message}.`);
  return error;
}

/**
 * Calls a function of the caller's. What it throws is the caller's own, and no fault of a download.
 * @param {((...args: any[]) => void) | undefined} callback
 * @param {...any} args
 */
export function call(callback, ...args) {
  try {
    callback?.(...args);
  } catch (error) {
    // Reported as any uncaught error is, without a stop to what goes on here.
    setTimeout(() => {
      throw error;
    });
  }
}

/** For the way out of a worker. @param {any} error */
export function toMessage(error) {
  return {
    name: error?.name ?? "Error",
    code: error?.code,
    message: String(error?.message ?? error),
    url: error?.url,
    status: error?.status,
  };
}

/** And into the page. @param {ReturnType<typeof toMessage>} message */
export function fromMessage({ name, code, message, url, status }) {
  if (name === "AbortError") return new DOMException(message, name);
  if (typeof code !== "string") return Object.assign(new Error(message), { name });
  // The message has its advice already.
  const error = failure(code, "", { url, status });
  error.message = message;
  return error;
}
