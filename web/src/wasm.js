// The wasm modules: which build this runtime runs, and one instance of each for all shelves of a thread.
//
// There are two modules. The first runs every encoder that nearshelf recognises, and has a build for relaxed SIMD. The
// second, eight times as large, reads graphs in ONNX as well; it is fetched for shelves that need it.

import * as glue from "../wasm/nearshelf.js";
import { MODULES } from "../wasm/modules.js";
import { download, hex, memory } from "./download.js";
import { failure } from "./failure.js";
import { Store } from "./store.js";

/** Modules of one function that only a runtime with these instructions validates: i8x16.splat; i32x4.relaxed_dot_i8x16_i7x16_add_s. */
const PROBES = {
  simd128: [10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11],
  relaxed: [10, 15, 1, 13, 0, 65, 1, 253, 15, 65, 2, 253, 15, 65, 3, 253, 15, 253, 147, 2, 11],
};
const HEADER = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0];

/** @param {keyof typeof PROBES} instructions */
function knows(instructions) {
  const code = PROBES[instructions];
  code[1] = code.length - 2;
  code[3] = code.length - 4;
  return WebAssembly.validate(new Uint8Array([...HEADER, ...code]));
}

/** The build that this runtime can run. @returns {"simd128" | "relaxed-simd"} */
export function build() {
  if (typeof WebAssembly === "undefined") throw failure("no-wasm", "There is no WebAssembly here.");
  if (knows("relaxed")) return "relaxed-simd";
  if (knows("simd128")) return "simd128";
  throw failure("no-simd", "This runtime's WebAssembly has no SIMD.");
}

/**
 * @typedef {object} Loading how a module that is given by its address is downloaded
 * @property {boolean} cache
 * @property {AbortSignal} [signal]
 * @property {number} [stall]
 * @property {(error: Error) => void} warn
 * @property {(file: { name: string, bytes: number }) => (loaded: number, stored: boolean) => void} progress
 */

/** A module of the runtime in this thread. */
export class Runtime {
  #name;
  /** @type {Promise<void> | undefined} */
  #started;
  #shelves = 0;

  /**
   * @param {any} glue what wasm-bindgen made for the module
   * @param {() => string} name of the build that this runtime takes, as the package's list has it
   */
  constructor(glue, name) {
    this.glue = glue;
    this.#name = name;
  }

  /**
   * Instantiates the module, once for all shelves of this thread.
   * @param {() => any} locate gives a module, an address, bytes or a Response
   * @param {Loading} loading
   */
  start(locate, loading) {
    this.#started ??= this.#start(locate, loading).catch((error) => {
      this.#started = undefined;
      throw error;
    });
    return this.#started;
  }

  /** @param {() => any} locate @param {Loading} loading */
  async #start(locate, loading) {
    if (typeof WebAssembly === "undefined") throw failure("no-wasm", "There is no WebAssembly here.");
    const input = await locate();
    try {
      await this.glue.default({ module_or_path: await this.#compiled(input, loading) });
    } catch (/** @type {any} */ error) {
      if (typeof error?.code === "string") throw error;
      if (error?.name === "AbortError") throw error;
      if (/unsafe-eval|content security policy|disallowed by embedder|blocked by CSP/i.test(error?.message)) {
        throw failure("wasm-blocked", `WebAssembly may not be compiled here (${error.message}).`, { cause: error });
      }
      if (error instanceof RangeError) throw failure("memory", `${error.message}.`, { cause: error });
      throw failure("module", `The wasm module could not be started (${error?.message ?? error}).`, { cause: error });
    }
  }

  /** @param {any} input @param {Loading} loading */
  async #compiled(input, loading) {
    // By its name: in the sandbox of an edge function the class is another one.
    if (Object.prototype.toString.call(input) === "[object WebAssembly.Module]") return input;
    if (typeof input === "string" || input instanceof URL) {
      return WebAssembly.compile(/** @type {any} */ (await this.#fetched(String(input), loading)));
    }
    if (!(typeof Response !== "undefined" && input instanceof Response)) return WebAssembly.compile(input);
    const { url } = input;
    if (!input.ok) {
      throw failure("module", `${url}: expected the wasm module, found status ${input.status}.`, { url, status: input.status });
    }
    const bytes = new Uint8Array(await input.arrayBuffer());
    if (bytes[0] === 0x3c) throw failure("module", `${url}: expected the wasm module, found a page.`, { url });
    return WebAssembly.compile(bytes);
  }

  /** The module's bytes from an address: kept, resumed and compared with their digest like every file. @param {string} url @param {Loading} loading */
  async #fetched(url, { cache, signal, stall, warn, progress }) {
    const name = this.#name();
    const { bytes, sha256 } = MODULES[name];
    // By its digest, not its address: bundlers rename it, and shelves share it.
    const file = { name: `${sha256.slice(0, 16)}.wasm`, bytes, sha256 };
    // Not the location's: that of a worker may be a blob.
    const { origin } = globalThis;
    const store = cache && origin?.startsWith("http") ? await Store.open(`${origin}/.nearshelf/`, warn) : undefined;
    /** @type {import("./source.js").Source} */
    const source = {
      read: (_, { signal, offset = 0 }) => {
        /** @type {RequestInit} */
        const init = { signal };
        if (offset > 0) init.headers = { range: `bytes=${offset}-` };
        if (store) init.cache = "no-store";
        return fetch(url, init);
      },
    };
    const sink = memory(bytes);
    const subtle = globalThis.crypto?.subtle;
    // Pages of plain http have no WebCrypto, and no module yet that could do it.
    const digest = async (/** @type {Uint8Array} */ bytes) =>
      subtle ? hex(new Uint8Array(await subtle.digest("SHA-256", /** @type {any} */ (bytes)))) : sha256;
    try {
      await download(file, { source, store, signal, stall, sha256: digest, progress: progress(file) }, sink);
    } catch (/** @type {any} */ error) {
      if (error?.name === "AbortError" || signal?.aborted) throw error;
      const { status, cause } = error;
      const why = String(error?.message ?? error).replace(/^[0-9a-f]{16}\.wasm: /, "").split(". ")[0];
      throw failure("module", `${url}: ${why}.`, { url, status, cause: cause ?? error });
    }
    const known = new Set(Object.values(MODULES).map(({ sha256 }) => `${sha256.slice(0, 16)}.wasm`));
    store?.keepOnly(known);
    return sink.bytes();
  }

  /** Counts a shelf that was opened. */
  acquire() {
    this.#shelves += 1;
  }

  /** Counts one that was disposed of: with the last one, the instance and all its memory go. */
  release() {
    this.#shelves -= 1;
    if (this.#shelves > 0 || !this.#started) return;
    try {
      this.glue.__wbg_reset_state();
    } catch {
      // Chromium's main thread makes no instance of a large module at once: the old one stays, its memory free
      // for the next shelf. In a worker all of it goes.
    }
  }
}

/** The module for every encoder that nearshelf recognises. */
export const network = new Runtime(glue, build);
