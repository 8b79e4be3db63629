// Words first, meaning as soon as the encoder is here. Environment: see pages.mjs.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { CHANGED, SHARDED, SHELF, fetched, inPage, instead, named, page, server, turnPage } from "./pages.mjs";

/** Holds answers for the files of a pattern back, until the page calls `letGo`. */
async function hold(pattern) {
  const held = [];
  instead(pattern, (response, request, path) => {
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const [, folder, name] = path.split("/");
    const bytes = readFileSync(join({ shelf: SHELF, sharded: SHARDED }[folder], name));
    const headers = start > 0 ? { "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` } : {};
    held.push(() => response.writeHead(start > 0 ? 206 : 200, headers).end(bytes.subarray(start)));
  });
  await page.exposeFunction("letGo", () => {
    server.fault = undefined;
    for (const go of held.splice(0)) go();
  });
}

/** Makes `about`, which tells ids, scores and stage of hits, and `until` in the page. */
const helpers = () =>
  page.evaluate(() => {
    globalThis.about = (hits) => ({ stage: hits.stage, partial: hits.partial, hits: hits.map(({ id, score }) => [id, score]) });
    globalThis.until = async (what) => {
      for (let left = 500; left > 0 && !what(); left--) await new Promise((resolve) => setTimeout(resolve, 10));
    };
  });

inPage("a search before the encoder is here is answered by words, and again by both", async () => {
  await hold(/encoder-/);
  await helpers();
  for (const worker of [true, false]) {
    const { first, better, wanted, encoder } = await page.evaluate(async (worker) => {
      const shelf = await openShelf("/shelf/", { worker, cache: false });
      const better = [];
      const first = about(await shelf.search("a warm coat", { onPartial: (hits) => better.push(about(hits)) }));
      const { encoder } = await shelf.stats();
      const words = about(await shelf.search("a warm coat", { mode: "words" }));
      await letGo();
      await until(() => better.length > 0);
      const hybrid = about(await shelf.search("a warm coat", both));
      return { first, better, encoder, wanted: { words, hybrid } };
    }, worker);
    assert.equal(encoder, false);
    assert.equal(first.stage, "words");
    assert.deepEqual(first, wanted.words);
    assert.deepEqual(better, [wanted.hybrid]);
    assert.deepEqual([wanted.hybrid.stage, wanted.hybrid.partial], ["hybrid", false]);
    if (worker) await hold2();
  }
});

/** Holds the encoder back once more. */
async function hold2() {
  const encoder = readFileSync(join(SHELF, named(SHELF, "encoder-")));
  instead(/encoder-/, (response) => setTimeout(() => response.writeHead(200).end(encoder), 1500));
}

inPage("words need the front of a shard, and of many shards those that hold them", async () => {
  await hold(/encoder-|shard-/);
  const found = await page.evaluate(async () => {
    const shelf = await openShelf("/shelf/", { cache: false });
    const hits = await shelf.search("rain jacket", { facets: ["brand"], where: { price: { lt: 200 } } });
    const { fields } = await shelf.get(hits[0].id);
    const none = await shelf.search("");
    return { stage: hits.stage, count: hits.length, brands: hits.facets.brand.values.length, title: fields.title, none: none.length };
  });
  assert.deepEqual([found.stage, found.count, found.none], ["words", 10, 10]);
  assert.ok(found.brands > 0 && /jacket/i.test(found.title), JSON.stringify(found));
  assert.equal(fetched(/front-/).length, 1);
  assert.equal(fetched(/shard-/).length, 0, "vectors came before the encoder");
  await page.evaluate(async () => {
    globalThis.many = await openShelf("/sharded/", { cache: false });
    globalThis.hits = await many.search("rain jacket");
  });
  assert.equal(await page.evaluate(() => hits.stage), "words");
  assert.equal(fetched(/sharded\/shard-/).length, 0);
});

inPage("the rest of a shard follows its front, from where that ends", async () => {
  const ids = await page.evaluate(async () => {
    const shelf = await openShelf("/shelf/");
    await shelf.search("rain jacket");
    const better = await new Promise((resolve) => shelf.search("a warm coat", { onPartial: resolve }).then((hits) => hits.stage === "hybrid" && resolve(hits)));
    await shelf.load();
    return better.stage;
  });
  assert.equal(ids, "hybrid");
  const [{ range }] = fetched(/shard-/);
  assert.match(range ?? "whole", /^bytes=\d{5,}-$/);
  // The next visit has all of it.
  const before = server.requests.length;
  await turnPage();
  const stage = await page.evaluate(async () => {
    const shelf = await openShelf("/shelf/");
    await shelf.load();
    return (await shelf.search("rain jacket")).stage;
  });
  assert.equal(stage, "hybrid");
  assert.deepEqual(server.requests.slice(before).map(({ path }) => path).filter((path) => path.startsWith("/shelf/")), ["/shelf/shelf.nsm"]);
});

inPage("a lazy encoder comes with the first text, and without one texts are words", async () => {
  await helpers();
  const lazy = await page.evaluate(async () => {
    const shelf = await openShelf("/shelf/", { encoder: "lazy", cache: false });
    await shelf.search("");
    await shelf.search("tent", { mode: "words" });
    await new Promise((resolve) => setTimeout(resolve, 300));
    return (globalThis.shelf = shelf).stats();
  });
  assert.equal(lazy.encoder, false);
  assert.equal(fetched(/encoder-/).length, 0);
  const stages = await page.evaluate(async () => {
    const stages = [(await shelf.search("tent")).stage];
    for (let left = 500; left > 0 && stages.at(-1) === "words"; left--) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      stages.push((await shelf.search("tent")).stage);
    }
    return [stages[0], stages.at(-1)];
  });
  assert.deepEqual(stages, ["words", "hybrid"]);
  assert.equal(fetched(/encoder-/).length, 1);

  for (const worker of [true, false]) {
    const none = await page.evaluate(async (worker) => {
      const vector = await shelf.encode("rain jacket");
      const own = await openShelf("/shelf/", { encoder: "none", cache: false, worker });
      const text = about(await own.search("rain jacket"));
      await own.load();
      return {
        text,
        vector: about(await own.searchVector(vector)),
        wanted: { text: about(await shelf.search("rain jacket", { mode: "words" })), vector: about(await shelf.searchVector(vector)) },
        similar: (await own.similar(text.hits[0][0])).length,
        errors: [await outcome(own.search("tent", { mode: "meaning" })), await outcome(own.encode("tent"))].map(({ code }) => code),
      };
    }, worker);
    assert.deepEqual([none.text, none.vector], [none.wanted.text, none.wanted.vector]);
    assert.equal(none.text.stage, "words");
    assert.equal(none.similar, 10);
    assert.deepEqual(none.errors, ["query", "query"]);
  }
  assert.equal(fetched(/encoder-/).length, 1);
  const wrong = await page.evaluate(() => outcome(openShelf("/shelf/", { encoder: "later" })));
  assert.deepEqual([wrong.code, wrong.message.slice(0, 9)], ["options", "encoder: "]);
});

inPage("an encoder that cannot be had leaves words and one warning", async () => {
  instead(/encoder-/, (response) => response.writeHead(404).end());
  const { stages, error, told } = await page.evaluate(async () => {
    const shelf = await openShelf("/shelf/", { cache: false, onWarning: warned });
    const stages = [];
    for (let i = 0; i < 5; i++) {
      stages.push((await shelf.search("tent", { onPartial: () => stages.push("better") })).stage);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    globalThis.shelf = shelf;
    return { stages, told: warnings.map(({ code }) => code), error: await outcome(shelf.search("tent", both)) };
  });
  assert.deepEqual(stages, ["words", "words", "words", "words", "words"]);
  assert.deepEqual(told, ["http"]);
  // Once for the page, and once for the search that names a mode.
  assert.equal(fetched(/encoder-/).length, 2);
  assert.deepEqual([error.code, error.status], ["http", 404]);
  // As soon as it is there, it is taken.
  server.fault = undefined;
  assert.equal(await page.evaluate(async () => (await shelf.search("tent", both)).stage), "hybrid");
  assert.equal(await page.evaluate(async () => (await shelf.search("tent")).stage), "hybrid");
});

inPage("a front that is not as it should be gives way to the shard", async () => {
  await helpers();
  const front = readFileSync(join(SHELF, named(SHELF, "front-")));
  const altered = Buffer.from(front);
  altered[altered.length >> 1] ^= 1;
  const wanted = await page.evaluate(async () => about(await (await openShelf("/shelf/", { cache: false })).search("tent", { mode: "words" })));
  for (const [answer, code] of [
    [(response) => response.writeHead(404).end(), "http"],
    [(response) => response.writeHead(200).end(altered), "altered"],
    [(response) => response.writeHead(200).end(front.subarray(0, 1000)), "altered"],
    [(response) => response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html>"), "altered"],
  ]) {
    instead(/front-/, answer);
    const found = await page.evaluate(async () => {
      warnings.length = 0;
      const shelf = await openShelf("/shelf/", { cache: false, onWarning: warned });
      return { hits: about(await shelf.search("tent", { mode: "words" })), told: warnings.map(({ code }) => code) };
    });
    assert.deepEqual([found.hits, found.told], [wanted, [code]]);
  }
});

inPage("hosts that know nothing of ranges, or give others than asked, send the shard whole", async () => {
  await helpers();
  const bytes = readFileSync(join(SHELF, named(SHELF, "shard-")));
  const part = (response, bytes, from, total) =>
    response.writeHead(206, { "content-range": `bytes ${from}-${from + bytes.length - 1}/${total}`, "content-length": bytes.length }).end(bytes);
  const start = (request) => Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  const wanted = await page.evaluate(async () => about(await (await openShelf("/shelf/", { cache: false })).search("a warm coat", both)));
  let changed = 0;
  for (const [name, answer] of [
    ["ignores", (response) => response.writeHead(200).end(bytes)],
    ["gives others", (response, request) => (start(request) > 0 ? part(response, bytes.subarray(100), 100, bytes.length) : response.writeHead(200).end(bytes))],
    ["lies", (response, request) => (start(request) > 0 ? part(response, Buffer.alloc(bytes.length - start(request), 7), start(request), bytes.length) : response.writeHead(200).end(bytes))],
    ["refuses", (response, request) => (start(request) > 0 ? response.writeHead(416).end() : response.writeHead(200).end(bytes))],
    ["changes", (response, request) => {
      const other = Buffer.from(bytes);
      if ((changed += 1) === 1) other[bytes.length - 10] ^= 1;
      return start(request) > 0 ? part(response, other.subarray(start(request)), start(request), bytes.length) : response.writeHead(200).end(bytes);
    }],
  ]) {
    instead(/shard-/, answer);
    const found = await page.evaluate(async () => {
      const shelf = await openShelf("/shelf/", { cache: false, onWarning: warned });
      const { stage } = await shelf.search("tent");
      return { stage, hits: about(await shelf.search("a warm coat", both)), warnings };
    });
    assert.deepEqual([found.hits, found.warnings], [wanted, []], name);
  }
});

inPage("a signal stops what would come after the answer", async () => {
  await hold(/encoder-/);
  for (const worker of [true, false]) {
    const told = await page.evaluate(async (worker) => {
      const shelf = await openShelf("/shelf/", { worker, cache: false });
      const abort = new AbortController();
      const told = [];
      await shelf.search("tent", { signal: abort.signal, onPartial: () => told.push("aborted") });
      await shelf.search("kettle", { onPartial: () => told.push("better") });
      abort.abort();
      if (worker) await letGo();
      await shelf.load();
      await new Promise((resolve) => setTimeout(resolve, 300));
      return told;
    }, worker);
    assert.deepEqual(told, ["better"]);
  }
});

inPage("a shelf that is ready stays so when it is refreshed", async () => {
  await page.evaluate(async () => {
    globalThis.shelf = await openShelf("/sharded/", { cache: false, onWarning: warned });
    await shelf.load();
  });
  server.folders.sharded = CHANGED;
  const stages = await page.evaluate(async () => {
    const before = (await shelf.search("a gift")).stage;
    await shelf.refresh();
    return [before, (await shelf.search("a gift")).stage, warnings.length];
  });
  assert.deepEqual(stages, ["hybrid", "hybrid", 0]);
});
