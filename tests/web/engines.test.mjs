// The package and the demo page in engines other than Chromium's. Environment: NEARSHELF_PACKAGE, NEARSHELF_NPM, SHELF,
// SHARDED, EXPECTED and EXPECTED_SHARDED (golden queries), SITE (the demo page).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { engines } from "./engines.mjs";
import { serve } from "./server.mjs";

const { NEARSHELF_PACKAGE, NEARSHELF_NPM, SHELF, SHARDED, EXPECTED, EXPECTED_SHARDED, SITE } = process.env;
const golden = (file) => JSON.parse(readFileSync(file, "utf8"));
const folders = { "": dirname(fileURLToPath(import.meta.url)), package: NEARSHELF_PACKAGE, shelf: SHELF, sharded: SHARDED };

/**
 * Milliseconds after which no more of a shelf's golden queries are compared. All of them take a few seconds; but Firefox mixes
 * legacy SSE with VEX instructions, and on some virtual machines each change between them costs hundreds of cycles.
 */
const GOLDEN_WITHIN = 20_000;

for (const [name, open] of Object.entries(engines)) {
  const skip = typeof open === "string" ? open : false;

  /** A test with a server and a browser of its own. */
  const inTab = (about, folders, run) =>
    test(`${name}: ${about}`, { skip }, async (t) => {
      const server = await serve(folders);
      try {
        const tab = await open(NEARSHELF_NPM);
        try {
          await run(tab, server, t);
        } finally {
          await tab.close();
        }
      } finally {
        server.close();
      }
    });

  inTab("golden queries, in a worker and in the page, on one shard and on several", folders, async (tab, server, t) => {
    await tab.goto(`${server.url}/blank.html`);
    for (const [address, expected, worker] of [
      ["/shelf/", EXPECTED, true],
      ["/shelf/", EXPECTED, false],
      ["/sharded/", EXPECTED_SHARDED, true],
    ]) {
      const wanted = golden(expected);
      const checked = await tab.evaluate(
        async ([address, wanted, worker, within]) => {
          const { openShelf } = await import("/package/src/index.js");
          const { checkGolden } = await import("/golden.mjs");
          const shelf = await openShelf(address, { worker });
          const start = performance.now();
          let checked = 0;
          for (let part = 0; part < 40 && performance.now() - start < within; part++) {
            checked += await checkGolden(shelf, wanted.filter((_, i) => i % 40 === part));
          }
          shelf.dispose();
          return checked;
        },
        [address, wanted, worker, GOLDEN_WITHIN],
      );
      assert.ok(checked >= Math.floor(wanted.length / 40), `${checked} of ${wanted.length}`);
      if (checked < wanted.length) t.diagnostic(`${address}: queries are slow here, ${checked} of ${wanted.length} were compared`);
    }
  });

  inTab("what waits is rejected at once, and a shelf is kept for the next visit", folders, async (tab, server) => {
    await tab.goto(`${server.url}/blank.html`);
    const search = async () => {
      const { openShelf } = await import("/package/src/index.js");
      const shelf = await openShelf("/shelf/", { onWarning() {} });
      const abort = new AbortController();
      const searches = Array.from({ length: 100 }, (_, i) =>
        shelf.search(`a warm jacket ${i}`, { mode: "hybrid", signal: abort.signal }).then(() => "answered", (e) => e.name),
      );
      abort.abort();
      const names = [...new Set(await Promise.all(searches))];
      return { names, count: (await shelf.search("rain jacket", { mode: "hybrid" })).length };
    };
    assert.deepEqual(await tab.evaluate(search), { names: ["AbortError"], count: 10 });
    server.fault = (path, request, response) => /\/shelf\/|\.wasm$/.test(path) && (response.destroy(), true);
    await tab.goto(`${server.url}/blank.html?again`);
    assert.deepEqual(await tab.evaluate(search), { names: ["AbortError"], count: 10 });
  });

  inTab("the demo page works without a connection after the first visit", { "": SITE }, async (tab, server) => {
    const answer = async (title) => {
      const until = async (what) => {
        for (let left = 600; left > 0; left--) {
          if (what()) return true;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
        return false;
      };
      const hits = () => [...document.querySelectorAll("#hits h2")].map((title) => title.textContent).join();
      const answered = await until(() => document.querySelectorAll("#hits li").length === 12 && new RegExp(title, "i").test(hits()));
      const ready = await until(() => document.documentElement.dataset.ready === "offline");
      return { answered, ready, hits: hits() };
    };
    await tab.goto(`${server.url}/?q=rain+jacket`);
    const first = await tab.evaluate(answer, "jacket");
    assert.ok(first.answered && first.ready, JSON.stringify(first));
    server.fault = (path, request, response) => (response.destroy(), true);
    await tab.goto(`${server.url}/?q=a+kettle+for+tea`);
    const second = await tab.evaluate(answer, "teapot|kettle");
    assert.ok(second.answered, JSON.stringify(second));
  });
}
