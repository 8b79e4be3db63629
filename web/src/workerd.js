// Cloudflare Workers and runtimes like it, where code is not compiled from bytes: the module is imported. One
// build, as scripts are small; every workerd knows relaxed-simd.

import { openShelfFor } from "./api.js";
import { imported } from "./imported.js";
// @ts-ignore: the runtime makes a WebAssembly.Module of it.
import module from "../wasm/relaxed-simd.wasm";

export * from "./errors.js";

/** See `index.d.ts`. */
export const openShelf = openShelfFor({ modules: imported(module, "a worker's script") });
