// The wasm module: which of the two builds, and one instance for all shelves of a thread.

import bind, { __wbg_reset_state, isa } from "../wasm/nearshelf.js";
import { failure } from "./failure.js";

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

/** Where that build lies: beside this package's code. */
export async function locate() {
  return build() === "simd128"
    ? new URL("../wasm/simd128.wasm", import.meta.url)
    : new URL("../wasm/relaxed-simd.wasm", import.meta.url);
}

/** @type {Promise<void> | undefined} */
let started;
let shelves = 0;

/**
 * Instantiates the module, once for all shelves of this thread.
 * @param {() => Promise<any>} locate gives a module, an address, bytes or a Response
 */
export function init(locate) {
  started ??= start(locate).catch((error) => {
    started = undefined;
    throw error;
  });
  return started;
}

/** @param {() => Promise<any>} locate */
async function start(locate) {
  if (typeof WebAssembly === "undefined") throw failure("no-wasm", "There is no WebAssembly here.");
  const input = await locate();
  try {
    await bind({ module_or_path: await compiled(input) });
  } catch (/** @type {any} */ error) {
    if (typeof error?.code === "string") throw error;
    if (/unsafe-eval|content security policy|disallowed by embedder|blocked by CSP/i.test(error?.message)) {
      throw failure("wasm-blocked", `WebAssembly may not be compiled here (${error.message}).`, { cause: error });
    }
    if (error instanceof RangeError) throw failure("memory", `${error.message}.`, { cause: error });
    throw error;
  }
}

/** @param {any} input */
async function compiled(input) {
  if (input instanceof WebAssembly.Module) return input;
  if (typeof input === "string" || input instanceof URL) {
    const url = String(input);
    try {
      input = await fetch(url);
    } catch (/** @type {any} */ cause) {
      throw failure("network", `${url}: ${cause?.message ?? cause}.`, { url, cause });
    }
  }
  if (!(typeof Response !== "undefined" && input instanceof Response)) return WebAssembly.compile(input);
  const { url } = input;
  if (!input.ok) {
    throw failure("http", `${url}: expected the wasm module, found status ${input.status}.`, { url, status: input.status });
  }
  const type = input.headers.get("content-type") ?? "";
  if (type.startsWith("application/wasm")) return WebAssembly.compileStreaming(input);
  const bytes = new Uint8Array(await input.arrayBuffer());
  if (bytes[0] === 0x3c) throw failure("http", `${url}: expected the wasm module, found a page (${type}).`, { url });
  return WebAssembly.compile(bytes);
}

/** Counts a shelf that was opened. */
export function acquire() {
  shelves += 1;
}

/** Counts one that was disposed of: with the last one, the instance and all its memory go. */
export function release() {
  shelves -= 1;
  if (shelves > 0 || !started) return;
  try {
    __wbg_reset_state();
  } catch {
    // Chromium's main thread makes no instance of a large module at once: the old one stays, its memory free
    // for the next shelf. In a worker all of it goes.
  }
}

export { isa };
