// Where the builds of the wasm modules lie: beside this package's code. Edge functions, whose bundlers make modules of all
// files that are named here, do without.

import { build } from "./wasm.js";

/** A module's build for this runtime. Three addresses, each as bundlers look for it. @param {"network" | "onnx"} kind */
export function locate(kind) {
  if (kind === "onnx") return new URL("../wasm/onnx/simd128.wasm", import.meta.url);
  return build() === "simd128"
    ? new URL("../wasm/simd128.wasm", import.meta.url)
    : new URL("../wasm/relaxed-simd.wasm", import.meta.url);
}
