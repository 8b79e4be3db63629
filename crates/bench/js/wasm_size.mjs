// What fills a wasm module: its size as it is, gzipped and in brotli, and its code by crate.
// Usage: wasm_size.mjs PACKED.wasm WITH_NAMES.wasm
import { readFileSync } from "node:fs";
import { brotliCompressSync, gzipSync } from "node:zlib";

const [packed, named] = process.argv.slice(2);
const bytes = readFileSync(named);
let at = 8;
const number = () => {
  for (let value = 0, shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    value += (byte & 127) * 2 ** shift;
    if (byte < 128) return value;
  }
};
const text = () => {
  const length = number();
  return bytes.toString("latin1", at, (at += length));
};
let imported = 0;
const bodies = [];
const names = new Map();
const sections = { imports: 2, code: 10, data: 11 };
let data = 0;
while (at < bytes.length) {
  const id = bytes[at++];
  const length = number();
  const end = at + length;
  if (id === sections.imports) {
    for (let left = number(); left > 0; left--) {
      text();
      text();
      if (bytes[at++] !== 0) throw new Error("an import that is no function");
      number();
      imported += 1;
    }
  } else if (id === sections.code) {
    for (let left = number(); left > 0; left--) {
      const size = number();
      bodies.push(size);
      at += size;
    }
  } else if (id === sections.data) data = length;
  else if (id === 0 && text() === "name") {
    while (at < end) {
      const kind = bytes[at++];
      const stop = number() + at;
      if (kind === 1) for (let left = number(); left > 0; left--) names.set(number(), text());
      at = stop;
    }
  }
  at = end;
}

/** The crate that a mangled name belongs to: the first that it names. */
function crateOf(name = "") {
  const [, length, rest] = /^_ZN(\d+)(.*)$/.exec(name) ?? [];
  if (!length) return "other";
  const first = rest.slice(0, Number(length));
  return /^(?:_?\$[A-Za-z0-9]+\$|[^a-z])*(?:dyn |mut )?([a-z][a-z0-9_]*)/.exec(first)?.[1] ?? "other";
}
const crates = new Map();
bodies.forEach((size, i) => {
  const crate = crateOf(names.get(i + imported));
  crates.set(crate, (crates.get(crate) ?? 0) + size);
});
const module = readFileSync(packed);
const kb = (size) => `${Math.round(size / 1000)} kB`;
console.log(`${kb(module.length)}, gzip ${kb(gzipSync(module, { level: 9 }).length)}, brotli ${kb(brotliCompressSync(module).length)}`);
console.log(`data ${kb(data)}, code ${kb(bodies.reduce((a, b) => a + b))}, of which`);
for (const [crate, size] of [...crates].sort(([, a], [, b]) => b - a).slice(0, 16)) console.log(`  ${crate} ${kb(size)}`);
