// A shelf whose encoder is a graph in ONNX, in Node. Usage: onnx.mjs SHELF EXPECTED.json
import { readFileSync } from "node:fs";
import process from "node:process";
import { openShelf } from "nearshelf";

const [path, expectedPath] = process.argv.slice(2);
const expected = JSON.parse(readFileSync(expectedPath, "utf8"));
const shelf = await openShelf(path);
for (const [query, wanted] of expected) {
  const hits = await shelf.search(query, { k: 10 });
  // What runs unfused may differ in its last bits, and two items of nearly one score in their order.
  for (const [i, hit] of hits.entries()) {
    const [, score] = wanted[i];
    if (Math.abs(hit.score - score) > 1e-4) throw new Error(`${query}, place ${i}: expected ${score}, found ${hit.score}`);
  }
  if (hits[0].id !== wanted[0][0]) throw new Error(`${query}: expected ${wanted[0][0]} first, found ${hits[0].id}`);
}
shelf.dispose();
console.log(`${shelf.build}: ${expected.length} queries agree`);
