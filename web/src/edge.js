// Edge functions of Vercel and frameworks like Next.js, where code is not compiled from bytes: the bundler makes a module
// of what is imported so. One build, the one that every version of such runtimes knows.

import { openShelfFor } from "./api.js";
import { imported } from "./imported.js";
// @ts-ignore: the bundler makes a WebAssembly.Module of it.
import module from "../wasm/simd128.wasm?module";

export * from "./errors.js";

/** See `index.d.ts`. */
export const openShelf = openShelfFor({ modules: imported(module, "an edge function") });
