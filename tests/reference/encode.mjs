// Encodes the lines of a file with a build of the wasm module.
// Usage: encode.mjs MODULE_DIR MODEL_DIR TEXTS OUT: float32, little-endian, vector by vector.
// Exit code 3 where the runtime does not know the module's instructions.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [moduleDir, modelDir, texts, out] = process.argv.slice(2);
const wasm = readFileSync(join(moduleDir, "nearshelf_bg.wasm"));
if (!WebAssembly.validate(wasm)) process.exit(3);
const { default: init, Encoder, isa } = await import(pathToFileURL(join(moduleDir, "nearshelf.js")));
await init({ module_or_path: wasm });

const read = (name) => new Uint8Array(readFileSync(join(modelDir, name)));
const encoder = new Encoder(read("network.nsn"), false);
const lines = readFileSync(texts, "utf8").replace(/\n$/, "").split("\n");
const vectors = lines.map((line) => encoder.encode(line).values);
const all = new Float32Array(vectors.length * vectors[0].length);
vectors.forEach((vector, i) => all.set(vector, i * vector.length));
writeFileSync(out, new Uint8Array(all.buffer));
console.log(`${isa()}: ${encoder.fusion()}`);
