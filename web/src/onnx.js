// The module that reads graphs in ONNX: fetched only for shelves that need it. Its JavaScript comes with the rest in pages,
// as bundlers make no parts of a worker that come later.

import * as glue from "../wasm/onnx/nearshelf.js";
import { Runtime } from "./wasm.js";

export const onnx = new Runtime(glue, () => "onnx/simd128");
