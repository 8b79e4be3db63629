// A shelf that is updated day by day, in Node, Deno and Bun: each day's answers are those of the native library, and only files that
// are not here are read. Usage: updates.mjs FOLDER DAYS, with the shelf of each day in FOLDER/DAY and its answers in FOLDER/DAY.json.
import { readFileSync } from "node:fs";
import process from "node:process";
import { openShelf } from "nearshelf";

import { checkGolden } from "./golden.mjs";

const [folder, days] = process.argv.slice(2);
const expected = (/** @type {number} */ day) => JSON.parse(readFileSync(`${folder}/${day}.json`, "utf8"));
const check = (/** @type {boolean} */ holds, /** @type {string} */ what) => {
  if (!holds) throw new Error(what);
};

let day = 0;
let told = 0;
/** @type {string[]} */
let reads = [];
const seen = new Set();
/** A file that has not reached the server yet. @type {string | undefined} */
let late;
const read = (/** @type {string} */ name) => {
  if (name === late) throw new Error(`${name} is not here`);
  const bytes = readFileSync(`${folder}/${day}/${name}`);
  reads.push(name);
  return bytes;
};
const warnings = [];
const shelf = await openShelf(read, { revalidate: 0, onUpdate: () => (told += 1), onWarning: (error) => warnings.push(error) });
let checked = await checkGolden(shelf, expected(0).slice(1));
check(told === 0, "told of an update that there is not");
for (const name of reads) seen.add(name);

for (day = 1; day <= Number(days); day++) {
  // The next search asks the server, and the page is told once.
  told = 0;
  for (let i = 0; told === 0 && i < 500; i++) {
    await shelf.search("rain jacket");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await shelf.search("rain jacket");
  check(told === 1, `day ${day}: told ${told} times`);

  // The manifest came before a file that it names: the shelf goes on as it was.
  reads = [];
  const { changes, words } = expected(day)[0][1];
  late = changes ?? words ?? undefined;
  const refused = await shelf.refresh().then(() => undefined, (error) => error);
  check(late === undefined || refused !== undefined, `day ${day}: a file that is missing was not missed`);
  if (late !== undefined) checked += await checkGolden(shelf, expected(day - 1).slice(1));
  late = undefined;

  reads = [];
  // A search that is on its way ends with what it began with.
  const [, during] = await Promise.all([shelf.refresh(), shelf.search("kettle")]);
  check(during.length === 10, `day ${day}: ${during.length} hits while it was refreshed`);
  check(shelf.items === expected(day)[0][1].items, `day ${day}: ${shelf.items} items`);
  checked += await checkGolden(shelf, expected(day).slice(1));
  const again = reads.filter((name) => name !== "shelf.nsm" && seen.has(name));
  check(again.length === 0, `day ${day}: read again: ${again}`);
  for (const name of reads) seen.add(name);
}
day -= 1;

// News of this session stand above files, and stay.
const [first, second] = await shelf.search("rain jacket");
const news = { [first.id]: { price: 1.25, tags: null }, [second.id]: null };
await shelf.overlay(news);
for (const turn of ["laid over", "refreshed"]) {
  const { fields } = await shelf.get(first.id);
  check(fields.price === 1.25 && fields.tags === undefined, `${turn}: ${JSON.stringify(fields)}`);
  check((await shelf.get(second.id)) === undefined, `${turn}: ${second.id} is still there`);
  const hits = await shelf.search("rain jacket", { where: { price: { lt: 2 } } });
  check(hits.some(({ id }) => id === first.id), `${turn}: not found by its new price`);
  check((await shelf.search("rain jacket", { k: 50 })).every(({ id }) => id !== second.id), `${turn}: ${second.id} is a hit`);
  await shelf.refresh();
}
for (const [wrong, what] of [
  [{ [first.id]: { cost: 1 } }, "price"],
  [{ [first.id]: { price: "cheap" } }, "number"],
  [7, "object"],
]) {
  const error = await shelf.overlay(/** @type {any} */ (wrong)).then(() => undefined, (e) => e);
  check(String(error).includes(String(what)), `${JSON.stringify(wrong)}: ${error}`);
}
check(warnings.length === 0, `${warnings}`);
shelf.dispose();
console.log(`${days} days, ${checked} queries agree`);
