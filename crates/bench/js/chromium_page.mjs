// A page's search box over the demo in Chromium: words alone, and words with a filter and three facets; nearshelf, MiniSearch
// and Orama in turn, each in the page's own thread.
// Usage: chromium_page.mjs FOLDER PACKAGE SHELF NODE_MODULES. FOLDER has items.json.
// Prints JSON: for each peer the index's bytes, and milliseconds a query, the median of five rounds.
import { createReadStream, existsSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join } from "node:path";

const [folder, packed, shelf, modules] = process.argv.slice(2);
const { chromium } = createRequire(join(modules, "x.js"))("playwright-core");
const TYPES = { ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm", ".json": "application/json" };
const folders = { package: packed, shelf, minisearch: join(modules, "minisearch/dist/es"), orama: join(modules, "@orama/orama/dist/browser") };
const server = createServer((request, response) => {
  const [, first, ...rest] = new URL(request.url, "http://localhost").pathname.split("/");
  if (first === "") return response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html>");
  const path = folders[first] ? join(folders[first], ...rest) : join(folder, first, ...rest);
  if (!existsSync(path) || !statSync(path).isFile()) return response.writeHead(404).end();
  response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "application/octet-stream", "content-length": statSync(path).size });
  createReadStream(path).pipe(response);
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));

// Two or three words of a title, one of five queries with a letter left out.
const items = JSON.parse(readFileSync(join(folder, "items.json"), "utf8"));
const queries = Array.from({ length: 120 }, (_, i) => {
  const words = items[(i * 977) % items.length].title.toLowerCase().match(/[a-z]{4,}/g);
  const some = [words[i % words.length], words[(i * 5 + 1) % words.length], words[(i * 3 + 2) % words.length]].slice(0, 2 + (i % 2));
  if (i % 5 === 0) some[0] = some[0].slice(0, 2) + some[0].slice(3);
  return some.join(" ");
});

/** A page: gives what searches, and the bytes of the peer's index where it has one of its own. */
const peers = {
  nearshelf: async () => {
    const { openShelf } = await import("/package/src/index.js");
    const shelf = await openShelf("/shelf/", { worker: false });
    const where = { price: { lt: 100 }, in_stock: true };
    const facets = { brand: true, category: true, price: { ranges: [[0, 25], [25, 50], [50, 100]] } };
    return {
      words: (text) => shelf.search(text, { mode: "words" }),
      faceted: (text) => shelf.search(text, { mode: "words", where, facets }),
      hybrid: (text) => shelf.search(text, { where, facets }),
    };
  },
  minisearch: async (items) => {
    const { default: MiniSearch } = await import("/minisearch/index.js");
    const index = new MiniSearch({ fields: ["title"] });
    index.addAll(items);
    return { bytes: JSON.stringify(index).length, words: async (text) => index.search(text, { fuzzy: 0.2 }).slice(0, 10) };
  },
  orama: async (items) => {
    const { create, insertMultiple, save, search } = await import("/orama/index.js");
    const words = create({ schema: { title: "string" } });
    await insertMultiple(words, items.map(({ id, title }) => ({ id, title })));
    const all = create({ schema: { title: "string", brand: "string", category: "string", price: "number", in_stock: "boolean" } });
    await insertMultiple(all, items.map(({ id, title, brand, category, price, in_stock }) => ({ id, title, brand, category, price, in_stock })));
    const where = { price: { lt: 100 }, in_stock: true };
    const facets = { brand: { limit: 10 }, category: { limit: 10 }, price: { ranges: [{ from: 0, to: 25 }, { from: 25, to: 50 }, { from: 50, to: 100 }] } };
    return {
      bytes: JSON.stringify(save(words).index).length,
      words: (term) => search(words, { term, limit: 10, tolerance: 1 }),
      faceted: (term) => search(all, { term, limit: 10, tolerance: 1, properties: ["title"], where, facets }),
    };
  },
};

const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-background-networking"] });
const measured = {};
try {
  for (const [name, open] of Object.entries(peers)) {
    const page = await (await browser.newContext()).newPage();
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    measured[name] = await page.evaluate(
      async ([source, queries]) => {
        const items = await (await fetch("/items.json")).json();
        const { bytes, ...kinds } = await eval(`(${source})`)(items);
        const found = { bytes };
        for (const [kind, search] of Object.entries(kinds)) {
          // The page's clock ticks in tenths of a millisecond: a round of all queries is timed as one.
          const rounds = [];
          for (let round = 0; round < 7; round++) {
            const start = performance.now();
            for (const query of queries) await search(query);
            if (round > 1) rounds.push((performance.now() - start) / queries.length);
          }
          rounds.sort((a, b) => a - b);
          found[kind] = rounds[rounds.length >> 1];
        }
        return found;
      },
      [open.toString(), queries],
    );
    await page.context().close();
  }
} finally {
  await browser.close();
  server.close();
}
console.log(JSON.stringify(measured));
