// Cloudflare Workers and runtimes like it, where code is not compiled from bytes: the module is imported. One
// build, as scripts are small; every workerd knows relaxed-simd.

import { openShelfFor } from "./api.js";
import { failure } from "./failure.js";
// @ts-ignore: the runtime makes a WebAssembly.Module of it.
import module from "../wasm/relaxed-simd.wasm";

export * from "./errors.js";

/** See `index.d.ts`. */
export const openShelf = openShelfFor({
  modules: {
    locate: (kind) => {
      if (kind === "network") return module;
      throw failure("unsupported", "The module that reads graphs in ONNX is no part of a worker's script.");
    },
    // Its JavaScript takes memory that shelves without such a graph do not need.
    onnx: async () => (await import("./onnx.js")).onnx,
  },
});
