// A random history of a shelf in its module, against a plain map: every answer of every kind of search is one of a living item
// with its newest fields. Usage: history.mjs FOLDER ROUNDS SEED, with all files in FOLDER, and of each round the manifest in
// FOLDER/ROUND.nsm and the map in FOLDER/ROUND.json. The rounds are updates; the news of a session come behind them.
import { readFileSync } from "node:fs";
import process from "node:process";
import { openShelf } from "nearshelf";

/** @typedef {{ title: string, sku: string, price: number | null, in_stock: boolean | null, tags: string[] | null }} Row */

const [folder, rounds, seed] = process.argv.slice(2);
/** Operations of a session's news. */
const OPERATIONS = 1000;

let round = 0;
const shelf = await openShelf(
  (/** @type {string} */ name) => readFileSync(`${folder}/${name === "shelf.nsm" ? `${round}.nsm` : name}`),
  { revalidate: 0 },
);
/** @type {Map<string, Row>} */
let rows = new Map();

let state = BigInt(seed);
/** A whole number below `end`, of a linear congruential generator (Knuth's MMIX). @param {number} end */
function below(end) {
  state = (state * 6364136223846793005n + 1442695040888963407n) & ((1n << 64n) - 1n);
  return Number((state >> 33n) % BigInt(end));
}
const anyId = () => [...rows.keys()][below(rows.size)];

/** @param {unknown} found @param {unknown} wanted @param {string} what */
function equal(found, wanted, what) {
  const [a, b] = [found, wanted].map((value) => JSON.stringify(value ?? null));
  if (a !== b) throw new Error(`round ${round}: ${what}: expected ${b}, found ${a}`);
}

/** @param {{ id: string, fields: any }} item */
function isNewest({ id, fields }) {
  const row = rows.get(id);
  if (!row) throw new Error(`round ${round}: ${id} is gone`);
  for (const name of /** @type {const} */ (["title", "sku", "price", "in_stock", "tags"])) equal(fields[name], row[name], `${id}: ${name}`);
}

/** @param {any[]} hits @param {number} [count] @param {string} [what] */
function areNewest(hits, count, what = "hits") {
  hits.forEach(isNewest);
  if (count !== undefined) equal(hits.length, count, what);
}

const ids = (/** @type {any[]} */ hits) => hits.map(({ id }) => id).sort();

/** Compares every kind of answer with the map. */
async function checkAll() {
  equal(shelf.items, rows.size, "items");
  const all = await shelf.search("", { k: rows.size + 10 });
  areNewest(all);
  equal(ids(all), [...rows.keys()].sort(), "all items");
  for (const mode of /** @type {const} */ (["hybrid", "words", "meaning"])) {
    for (const query of ["red rain jacket", "something for the garden", "knife", "lamp blue"]) {
      areNewest(await shelf.search(query, { mode, k: 20 }), mode === "words" ? undefined : Math.min(20, rows.size), `${mode}: ${query}`);
    }
  }
  await checkFilters();
  await checkFacets();
  for (let i = 0; i < 3; i++) await checkItem(anyId());
}

async function checkFilters() {
  /** @type {[any, (row: Row) => boolean | null][]} */
  const filters = [
    [{ price: { lt: 20 } }, ({ price }) => price !== null && price < 20],
    ["in_stock = true AND price >= 50", ({ price, in_stock }) => in_stock && price !== null && price >= 50],
    [{ tags: "sale" }, ({ tags }) => tags !== null && tags.includes("sale")],
    [{ not: { in_stock: true } }, ({ in_stock }) => in_stock !== true],
    ["price > 1000", ({ price }) => price !== null && price > 1000],
  ];
  for (const [where, passes] of filters) {
    const wanted = [...rows].filter(([, row]) => passes(row)).map(([id]) => id);
    for (const query of ["", "blue scarf"]) {
      const hits = await shelf.search(query, { where, k: rows.size, mode: query ? "meaning" : undefined });
      equal(ids(hits), wanted.sort(), `${query} where ${JSON.stringify(where)}`);
    }
  }
}

async function checkFacets() {
  const hits = await shelf.search("", { facets: { tags: { limit: 100 }, in_stock: true, price: { histogram: 4 } }, sort: "price:desc", k: rows.size });
  /** @type {Record<string, number>} */
  const tags = {};
  for (const tag of [...rows.values()].flatMap((row) => row.tags ?? [])) tags[tag] = (tags[tag] ?? 0) + 1;
  const sorted = (/** @type {Record<string, number>} */ counts) => Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1));
  const told = (/** @type {any[]} */ values) => Object.fromEntries(values.map(({ value, count }) => [value, count]));
  equal(sorted(told(hits.facets.tags.values)), sorted(tags), "facet of tags");
  const stocked = [...rows.values()].filter(({ in_stock }) => in_stock).length;
  equal(hits.facets.in_stock.values.find((/** @type {any} */ { value }) => String(value) === "true")?.count ?? 0, stocked, "facet of in_stock");
  const prices = [...rows.values()].flatMap(({ price }) => (price === null ? [] : [price])).sort((a, b) => b - a);
  equal(hits.facets.price.max, prices[0], "highest price");
  const counted = hits.facets.price.histogram.reduce((/** @type {number} */ sum, /** @type {any} */ { count }) => sum + count, 0);
  equal(counted, prices.length, "histogram of prices");
  equal(hits.flatMap(({ fields }) => fields.price ?? []), prices, "order by price");
}

/** @param {string} id */
async function checkItem(id) {
  const row = /** @type {Row} */ (rows.get(id));
  isNewest(/** @type {any} */ (await shelf.get(id)));
  // Its own word and its own code find it first.
  for (const query of [/** @type {string} */ (row.title.split(" ").pop()), row.sku]) {
    equal((await shelf.search(query, { k: 3, mode: "hybrid" }))[0].id, id, query);
  }
  const similar = await shelf.similar(id);
  areNewest(similar);
  equal(similar.some((hit) => hit.id === id), false, `${id} is similar to itself`);
  areNewest(await shelf.recommend({ like: [id] }));
}

/** Some news, in the shelf and in the map. @param {number} count */
async function news(count) {
  /** @type {Record<string, any>} */
  const changes = {};
  for (let i = 0; i < count; i++) {
    const id = anyId();
    if (id in changes) continue;
    const row = { .../** @type {Row} */ (rows.get(id)) };
    const what = below(20);
    if (what === 0 && rows.size > 60) {
      changes[id] = null;
      rows.delete(id);
      continue;
    }
    if (what < 8) changes[id] = { price: below(1600) / 4 };
    else if (what < 12) changes[id] = { price: null, tags: ["sale"] };
    else changes[id] = { in_stock: !row.in_stock };
    rows.set(id, Object.assign(row, changes[id]));
  }
  await shelf.overlay(changes);
}

for (round = 0; round <= Number(rounds); round++) {
  if (round > 0) await shelf.refresh();
  rows = new Map(Object.entries(JSON.parse(readFileSync(`${folder}/${round}.json`, "utf8"))));
  if (round % 4 === 0 || round > Number(rounds) - 4) await checkAll();
}
round -= 1;
for (let done = 0; done < OPERATIONS; done += 100) {
  await news(100);
  await checkAll();
  // News stand above files.
  if (done % 200 === 0) await shelf.refresh();
}
shelf.dispose();
console.log(`${rounds} updates and ${OPERATIONS} news agree with the map`);
