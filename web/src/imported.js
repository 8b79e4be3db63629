// Modules of runtimes that compile no code from bytes: the first is imported by the platform's own file.

import { failure } from "./failure.js";

/** @param {any} module a WebAssembly.Module @param {string} place the code that it is part of @returns {import("./shelf.js").Modules} */
export const imported = (module, place) => ({
  locate: (kind) => {
    if (kind === "network") return module;
    throw failure("unsupported", `The module that reads graphs in ONNX is no part of ${place}.`);
  },
  // Its JavaScript takes memory that shelves without such a graph do not need.
  onnx: async () => (await import("./onnx.js")).onnx,
});
