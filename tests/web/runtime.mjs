// The package in Node, Deno and Bun, from the disk. Usage: runtime.mjs SHELF EXPECTED.json
import { readFileSync } from "node:fs";
import process from "node:process";
import { NearshelfError, openShelf } from "nearshelf";

import { checkGolden } from "./golden.mjs";

const [path, expected] = process.argv.slice(2);
let last;
const shelf = await openShelf(path, { onProgress: (progress) => (last = progress) });
if (last.loaded !== last.total) throw new Error(`progress ended at ${last.loaded} of ${last.total}`);
const checked = await checkGolden(shelf, JSON.parse(readFileSync(expected, "utf8")));

// The same by files in memory, by a function, and by vector.
const read = (name) => readFileSync(`${path}/${name}`);
const other = await openShelf((name) => read(name));
const [[query]] = JSON.parse(readFileSync(expected, "utf8")).filter(([, hits]) => hits.length > 0);
const vector = await other.encode(query);
const [a, b] = [await shelf.search(query, { mode: "meaning" }), await other.searchVector(vector)];
if (JSON.stringify([...a]) !== JSON.stringify([...b])) throw new Error("search and searchVector differ");
other.dispose();

// An encoder that comes later: words first, and better hits for whoever listens.
const about = (hits) => JSON.stringify([hits.stage, hits.partial, ...hits.map(({ id, score }) => [id, score])]);
const lazy = await openShelf(path, { encoder: "lazy" });
const words = await shelf.search(query, { mode: "words" });
const both = await shelf.search(query);
let better;
const told = new Promise((resolve) => (better = resolve));
const first = await lazy.search(query, { onPartial: better });
if (about(first) !== about(words) || first.stage !== "words") throw new Error(`expected ${about(words)}, found ${about(first)}`);
const then = await told;
if (about(then) !== about(both) || then.stage !== "hybrid") throw new Error(`expected ${about(both)}, found ${about(then)}`);
const none = await openShelf(path, { encoder: "none" });
if (about(await none.search(query)) !== about(words)) throw new Error("without an encoder other words");
if (JSON.stringify([...(await none.searchVector(vector))]) !== JSON.stringify([...b])) throw new Error("without an encoder another vector");
lazy.dispose();
none.dispose();

const before = await shelf.stats();
for (let i = 0; i < 500; i++) await shelf.search(`warm jacket ${i}`);
const after = await shelf.stats();
if (after.memory !== before.memory) throw new Error(`memory grew from ${before.memory} to ${after.memory}`);
shelf.dispose();

for (const [what, code] of [
  [() => openShelf("/nowhere"), "no-shelf"],
  [() => openShelf(7), "options"],
  [() => openShelf({ "shelf.nsm": new Uint8Array([1, 2, 3]) }), "format"],
  [() => shelf.search("late"), "disposed"],
]) {
  const error = await what().then(() => undefined, (e) => e);
  if (!(error instanceof NearshelfError) || error.code !== code) throw new Error(`expected ${code}, found ${error}`);
}
console.log(`${shelf.build}: ${checked} queries agree`);
