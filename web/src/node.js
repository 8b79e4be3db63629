// Node, Deno and Bun: the module and shelves are files.

import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

import { openShelfFor } from "./api.js";
import { failure } from "./failure.js";
import { locate } from "./locate.js";
import { onnx } from "./onnx.js";
import { MANIFEST } from "./source.js";
import { build } from "./wasm.js";

export * from "./errors.js";

/** A directory, given as a path or a file: address. @param {any} source */
function directory(source) {
  if (!(typeof source === "string" || source instanceof URL) || /^(https?|blob|data):/.test(String(source))) return undefined;
  const text = String(source).replace(/shelf\.nsm$/, "").replace(/\/?$/, "/");
  const base = text.startsWith("file:") ? new URL(text) : pathToFileURL(text);
  return {
    /** @param {string} name @param {{ signal?: AbortSignal }} request */
    read: async (name, { signal }) => {
      const url = new URL(name, base);
      try {
        const bytes = await readFile(url, { signal });
        return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      } catch (/** @type {any} */ cause) {
        if (cause?.name === "AbortError") throw cause;
        const code = name === MANIFEST ? "no-shelf" : "missing";
        throw failure(code, `${url.pathname}: ${cause?.message ?? cause}.`, { url: url.href, cause });
      }
    },
  };
}

/** A module's bytes. @param {"network" | "onnx"} kind */
async function readModule(kind) {
  const url = locate(kind);
  if (url.protocol === "file:") return readFile(url);
  // webpack puts the address on its web server there. The package itself lies where it was when it was bundled.
  const here = import.meta.url;
  return readFile(new URL(`../wasm/${kind === "network" ? build() : "onnx/simd128"}.wasm`, here));
}

/** See `index.d.ts`. */
export const openShelf = openShelfFor({
  modules: { locate: readModule, onnx: () => onnx },
  source: directory,
});
