// The module that reads graphs in ONNX: fetched only for shelves that need it. Its JavaScript comes with the rest, as
// bundlers make no parts of a worker that come later.

import * as glue from "../wasm/onnx/nearshelf.js";
import { Runtime, build } from "./wasm.js";

export const onnx = new Runtime(glue, "onnx/");

/** Where its build lies. */
export const locate = () =>
  build() === "simd128"
    ? new URL("../wasm/onnx/simd128.wasm", import.meta.url)
    : new URL("../wasm/onnx/relaxed-simd.wasm", import.meta.url);
