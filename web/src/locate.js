// Where the builds of the wasm modules lie: beside this package's code. Edge functions, whose bundlers make modules of all
// files that are named here, do without.

import { build } from "./wasm.js";

/** A module's build for this runtime. Four addresses, each as bundlers look for it. @param {"network" | "onnx"} kind */
export function locate(kind) {
  const old = build() === "simd128";
  if (kind === "network") {
    return old
      ? new URL("../wasm/simd128.wasm", import.meta.url)
      : new URL("../wasm/relaxed-simd.wasm", import.meta.url);
  }
  return old
    ? new URL("../wasm/onnx/simd128.wasm", import.meta.url)
    : new URL("../wasm/onnx/relaxed-simd.wasm", import.meta.url);
}
