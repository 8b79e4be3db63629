// Pages of a test: Chromium, a static server with the shelves, and the package in a page, as `openShelf`, `outcome`
// and `warnings`. Environment: NEARSHELF_PACKAGE, NEARSHELF_NPM, SHELF (one shard), SHARDED (several), CHANGED
// (SHARDED with other items).
import { readdirSync } from "node:fs";
import { dirname } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

import { launch } from "./chromium.mjs";
import { serve } from "./server.mjs";

export const { NEARSHELF_PACKAGE, NEARSHELF_NPM, SHELF, SHARDED, CHANGED } = process.env;
const folders = { "": dirname(fileURLToPath(import.meta.url)), package: NEARSHELF_PACKAGE, shelf: SHELF, sharded: SHARDED };

/** The server, the browser's context and the page of the test that runs. */
export let server, context, page;
let shared;
after(async () => (await shared)?.close());

/** A server of the package and the shelves, for the test that runs. */
export async function serveAll() {
  const server = await serve({ ...folders });
  servers.push(server);
  return server;
}
const servers = [];

/** A test with a server and a page of its own, with nothing kept from before; `args` are for a Chromium of its own. */
export const inPage = (name, run, args = undefined) =>
  test(name, async () => {
    const browser = await (args ? launch(NEARSHELF_NPM, args) : (shared ??= launch(NEARSHELF_NPM)));
    server = await serveAll();
    context = await browser.newContext();
    try {
      await turnPage();
      await run();
    } finally {
      await (args ? browser : context).close();
      for (const server of servers.splice(0)) server.close();
    }
  });

/** Makes a new page the test's. */
export async function turnPage(from = server.url) {
  page = await openPage(from);
}

/** A page of the server's, with the package from the origin `from`. */
export async function openPage(from = server.url) {
  const page = await context.newPage();
  await page.goto(`${server.url}/blank.html`);
  await page.evaluate(async (from) => {
    Object.assign(globalThis, await import(`${from}/package/src/index.js`), await import("/golden.mjs"));
    globalThis.outcome = (promise) =>
      promise.then(
        (value) => ({ value }),
        (e) => ({ class: e.constructor.name, name: e.name, code: e.code, message: e.message, status: e.status }),
      );
    // Words and meaning, however long the encoder takes.
    globalThis.both = { mode: "hybrid" };
    globalThis.warnings = [];
    globalThis.warned = (e) => warnings.push({ class: e.constructor.name, code: e.code, message: e.message });
  }, from);
  return page;
}

/** Opens a shelf and searches: how many hits as `value`, or the error. */
export const search = (address = "/shelf/", options = {}) =>
  page.evaluate(
    ([address, options]) =>
      outcome(openShelf(address, { ...options, onWarning: warned }).then(async (shelf) => (await shelf.search("rain jacket", { mode: "meaning" })).length)),
    [address, options],
  );

/** Answers for the files of a pattern in place of the server. */
export const instead = (pattern, answer) => {
  server.fault = (path, request, response) => pattern.test(path) && (answer(response, request, path), true);
};

/** A folder's file whose name starts so. */
export const named = (folder, stem) => readdirSync(folder).find((name) => name.startsWith(stem));

/** Requests for the files of a pattern. */
export const fetched = (pattern, from = server) => from.requests.filter(({ path }) => pattern.test(path));
