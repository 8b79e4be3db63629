// What happens to a page in the real web: other origins, stalls, two tabs, bad deploys. Environment: see pages.mjs.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { CHANGED, NEARSHELF_PACKAGE, SHARDED, SHELF, context, fetched, inPage, instead, named, openPage, page, search, serveAll, server, turnPage } from "./pages.mjs";
import { breakOff } from "./server.mjs";

const PLAIN_CORS = { "access-control-allow-origin": "*" };

inPage("a shelf on another origin with plain CORS survives a connection that drops", async () => {
  const other = await serveAll();
  other.headers = PLAIN_CORS;
  const encoder = named(SHELF, "encoder-");
  let times = 0;
  other.fault = (path, request, response) => {
    if (!path.endsWith(encoder) || (times += 1) > 1) return false;
    for (const [name, value] of Object.entries(PLAIN_CORS)) response.setHeader(name, value);
    breakOff(response, join(SHELF, encoder), 3 << 20);
    return true;
  };
  assert.deepEqual(await search(`${other.url}/shelf/`), { value: 10 });
  const ranges = fetched(/encoder-/, other).map(({ range }) => range);
  assert.equal(ranges.length, 2, `${ranges}`);
  assert.match(ranges[1], /^bytes=\d+-$/);
});

inPage("a part of which nobody says where it starts is asked for again, whole", async () => {
  const other = await serveAll();
  other.headers = PLAIN_CORS;
  const encoder = named(SHELF, "encoder-");
  const bytes = readFileSync(join(SHELF, encoder));
  let times = 0;
  other.fault = (path, request, response) => {
    if (!path.endsWith(encoder)) return false;
    for (const [name, value] of Object.entries(PLAIN_CORS)) response.setHeader(name, value);
    times += 1;
    if (times === 1) breakOff(response, join(SHELF, encoder), 3 << 20);
    // In chunks: without a length.
    else if (request.headers.range) response.writeHead(206).end(bytes.subarray(1000));
    else response.writeHead(200).end(bytes);
    return true;
  };
  assert.deepEqual(await search(`${other.url}/shelf/`), { value: 10 });
  assert.equal(times, 3);
});

inPage("the package on another origin starts its worker", async () => {
  const cdn = await serveAll();
  cdn.headers = PLAIN_CORS;
  await turnPage(cdn.url);
  assert.deepEqual(await search(), { value: 10 });
  assert.equal(await page.evaluate(() => globalThis.Worker.toString().includes("native code")), true);
  assert.ok(fetched(/worker\.js/, cdn).length > 0 && page.workers().length === 1);
});

inPage("a shelf drops only its own files", async () => {
  server.folders.a = SHELF;
  server.fault = (path, request, response) => {
    const below = /^\/a\/sub\/(.*)$/.exec(path);
    if (!below) return false;
    response.writeHead(200).end(readFileSync(join(SHARDED, below[1])));
    return true;
  };
  const count = () =>
    page.evaluate(async () => (await (await caches.open("nearshelf")).keys()).filter(({ url }) => url.includes("/a/sub/")).length);
  await page.evaluate(async () => {
    const shelf = await openShelf("/a/sub/");
    await shelf.load();
    shelf.dispose();
  });
  const before = await count();
  assert.ok(before > 3);
  assert.deepEqual(await search("/a/"), { value: 10 });
  assert.equal(await count(), before);
});

inPage("1,000 searches that are aborted are 1,000 rejections, at once", async () => {
  for (const worker of [true, false]) {
    const { reasons, later, order } = await page.evaluate(async (worker) => {
      const shelf = await openShelf("/shelf/", { worker });
      await shelf.search("warm up", both);
      const abort = new AbortController();
      const settled = Array.from({ length: 1000 }, (_, i) =>
        shelf.search(`a warm jacket for autumn number ${i}`, { ...both, signal: abort.signal, k: 200 }).then(
          () => "answered",
          (e) => e.name,
        ),
      );
      await new Promise((resolve) => setTimeout(resolve, 50));
      abort.abort();
      // Asked for after them: they are all settled before it is answered.
      const order = [];
      const later = shelf.search("rain jacket", both).then((hits) => (order.push("later"), hits.length));
      const all = Promise.all(settled).then((all) => (order.push("settled"), all));
      return { reasons: [...new Set(await all)].sort(), later: await later, order };
    }, worker);
    assert.ok(reasons.includes("AbortError"), `${reasons}`);
    assert.deepEqual(order, ["settled", "later"]);
    assert.equal(later, 10);
  }
  // What waits is rejected without exception.
  const waiting = await page.evaluate(async () => {
    const shelf = await openShelf("/shelf/");
    const abort = new AbortController();
    const settled = Array.from({ length: 1000 }, (_, i) =>
      shelf.search(`a warm jacket for autumn number ${i}`, { ...both, signal: abort.signal }).then(() => "answered", (e) => e.name),
    );
    abort.abort();
    return [...new Set(await Promise.all(settled))];
  });
  assert.deepEqual(waiting, ["AbortError"]);
});

inPage("a search that waits for bytes holds up none that has what it needs, and a stall is an error", async () => {
  const stalled = named(SHARDED, "shard-0001");
  instead(new RegExp(stalled), (response) => {
    response.writeHead(200, { "content-length": 1 << 20 });
    response.write(Buffer.alloc(1000));
  });
  for (const worker of [true, false]) {
    const { order, waiting, aborted } = await page.evaluate(async (worker) => {
      const shelf = await openShelf("/sharded/", { worker, cache: false, timeout: { stall: 1500 }, onWarning: warned });
      const order = [];
      const waits = shelf.search("a gift", both).then((hits) => (order.push("waits"), hits));
      const abort = new AbortController();
      const aborts = outcome(shelf.search("a tent", { ...both, signal: abort.signal })).then((error) => (order.push("aborted"), error));
      await shelf.search("   ").then(() => order.push("empty"));
      await shelf.encode("a gift").then(() => order.push("encoded"));
      abort.abort();
      const aborted = await aborts;
      const hits = await waits;
      return { order, aborted: aborted.name, waiting: { partial: hits.partial, count: hits.length, missing: hits.shards.missing } };
    }, worker);
    assert.deepEqual(order, ["empty", "encoded", "aborted", "waits"]);
    assert.equal(aborted, "AbortError");
    assert.deepEqual(waiting, { partial: true, count: 10, missing: 1 });
  }
  const told = await page.evaluate(() => warnings.map(({ code }) => code));
  assert.ok(told.length > 0 && told.every((code) => code === "timeout"), `${told}`);
});

inPage("what is kept answers when the server does not give the manifest", async () => {
  assert.deepEqual(await search(), { value: 10 });
  const answers = {
    503: (response) => response.writeHead(503).end(),
    404: (response) => response.writeHead(404).end(),
    "wifi login": (response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>log in</html>"),
    silent: () => undefined,
    dropped: (response) => response.destroy(),
  };
  for (const worker of [true, false]) {
    for (const [name, answer] of Object.entries(answers)) {
      instead(/shelf\.nsm/, answer);
      await page.evaluate(() => (warnings.length = 0));
      assert.deepEqual(await search("/shelf/", { worker, timeout: { manifest: 500 } }), { value: 10 }, name);
      assert.deepEqual(await page.evaluate(() => warnings.map(({ code }) => code)), ["kept"], name);
    }
  }
  // Where nothing is kept, it is an error, and soon.
  instead(/shelf\.nsm/, () => undefined);
  const silent = await search("/sharded/", { timeout: { manifest: 300 } });
  assert.deepEqual([silent.name, silent.code], ["NetworkError", "timeout"]);
});

inPage("a shard that cannot be had leaves the hits of the others, and a warning", async () => {
  const shard = named(SHARDED, "shard-0001");
  instead(new RegExp(shard), (response) => response.writeHead(500).end());
  const found = await page.evaluate(async () => {
    const shelf = await openShelf("/sharded/", { onWarning: warned });
    const hits = await shelf.search("a gift", both);
    return { count: hits.length, partial: hits.partial, missing: hits.shards.missing, warnings };
  });
  assert.deepEqual([found.count, found.partial, found.missing], [10, true, 1]);
  assert.deepEqual(found.warnings.map(({ code }) => code), ["http"]);
});

inPage("a shelf that was replaced under an open page is stale, and refreshing takes the new one", async () => {
  await page.evaluate(async () => {
    globalThis.shelf = await openShelf("/sharded/", { cache: false, onWarning: warned });
  });
  server.folders.sharded = CHANGED;
  const gone = readdirSync(SHARDED).filter((name) => !readdirSync(CHANGED).includes(name) && name.startsWith("shard-"));
  assert.equal(gone.length, 1);
  const { hits, codes, after, during } = await page.evaluate(async () => {
    const hits = await shelf.search("a gift", both);
    const codes = warnings.map(({ code }) => code);
    // Searches go on while the shelf is exchanged.
    const refreshed = shelf.refresh();
    const during = (await shelf.search("a gift", both)).length;
    await refreshed;
    const after = await shelf.search("a gift", both);
    return { hits: hits.length, codes, during, after: { count: after.length, partial: after.partial } };
  });
  assert.deepEqual([hits, codes, during], [10, ["stale"], 10]);
  assert.deepEqual(after, { count: 10, partial: false });
  const whole = await page.evaluate(async () => outcome(shelf.load().then(() => "all")));
  assert.deepEqual(whole, { value: "all" });
});

inPage("a page hears of another manifest, and lays news over what it has", async () => {
  await page.evaluate(async () => {
    globalThis.told = 0;
    const onUpdate = () => (globalThis.told += 1);
    globalThis.shelf = await openShelf("/sharded/", { cache: false, onWarning: warned, revalidate: 0, onUpdate });
    await shelf.search("a gift", both);
    const [{ id }] = await shelf.search("rain jacket", both);
    globalThis.cheap = id;
    await shelf.overlay({ [id]: { price: 0.25 } });
  });
  server.folders.sharded = CHANGED;
  const found = await page.evaluate(async () => {
    for (let i = 0; told === 0 && i < 200; i++) {
      await shelf.search("a gift", both);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await shelf.refresh();
    const { fields } = await shelf.get(cheap);
    return { told, price: fields.price };
  });
  assert.deepEqual(found, { told: 1, price: 0.25 });
});

inPage("two tabs that open at once download once", async () => {
  const second = await openPage();
  const open = (tab) => tab.evaluate(async () => (await (await openShelf("/shelf/")).search("rain jacket", both)).length);
  assert.deepEqual(await Promise.all([open(page), open(second)]), [10, 10]);
  for (const file of [/encoder-/, /shard-/, /\.wasm/]) {
    assert.equal(fetched(file).length, 1, `${file}: ${fetched(file).length} requests`);
  }
});

inPage("the module is kept, and nothing is kept twice", async () => {
  server.headers = { "cache-control": "max-age=31536000" };
  assert.deepEqual(await search(), { value: 10 });
  await turnPage();
  assert.deepEqual(await search(), { value: 10 });
  assert.equal(fetched(/\.wasm/).length, 1, "the module was fetched again");
  // Without the Cache API's copy they come from the server: the HTTP cache has none.
  await page.evaluate(() => caches.delete("nearshelf"));
  await turnPage();
  assert.deepEqual(await search(), { value: 10 });
  for (const file of [/encoder-/, /shard-/, /\.wasm/]) assert.equal(fetched(file).length, 2, `${file}`);
});

inPage("the module is resumed, counted, compared with its digest, and its faults are named", async () => {
  const wasm = readFileSync(join(NEARSHELF_PACKAGE, "wasm/relaxed-simd.wasm"));
  let times = 0;
  server.fault = (path, request, response) => {
    if (!path.endsWith(".wasm") || (times += 1) > 1) return false;
    response.writeHead(200, { "content-type": "application/wasm", "content-length": wasm.length });
    response.write(wasm.subarray(0, wasm.length >> 1), () => setTimeout(() => response.destroy(), 50));
    return true;
  };
  const files = await page.evaluate(async () => {
    const files = {};
    const shelf = await openShelf("/shelf/", { onProgress: ({ file, loaded, total }) => ((files[file] = true), (files.last = loaded === total)) });
    await shelf.search("tent", both);
    return files;
  });
  assert.equal(files.last, true);
  assert.ok(Object.keys(files).some((name) => name.endsWith(".wasm")), `${Object.keys(files)}`);
  assert.match(fetched(/\.wasm/)[1].range, /^bytes=\d+-$/);

  const altered = Buffer.from(wasm);
  altered[wasm.length >> 1] ^= 1;
  const type = { "content-type": "application/wasm" };
  for (const worker of [true, false]) {
    for (const answer of [
      (response) => response.writeHead(404).end(),
      (response) => response.writeHead(503).end(),
      (response) => response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html>"),
      (response) => response.writeHead(200, type).end(altered),
      (response) => response.destroy(),
    ]) {
      await turnPage();
      instead(/\.wasm/, answer);
      const error = await search("/shelf/", { worker, cache: false });
      assert.deepEqual([error.name, error.code], ["PlatformError", "module"], error.message);
      assert.match(error.message, /\.wasm: .* It is a file of the npm package/);
    }
  }
});

inPage("large k, unknown words and wrong options have their answers", async () => {
  const answers = await page.evaluate(async () => {
    const answers = {};
    for (const worker of [true, false]) {
      const shelf = await openShelf("/shelf/", { worker });
      const unknown = async (text) => (await shelf.search(text, both)).unknown;
      answers[worker] = {
        large: (await shelf.search("tent", { ...both, k: 100_000 })).length,
        unknown: [await unknown("☔️🧥"), await unknown("雨衣"), await unknown("معطف مطر"), await unknown("rain jacket")],
        null: (await outcome(shelf.search("tent", null))).code,
        function: (await outcome(shelf.search("tent", { k: 5, probe: () => 1 }))).message,
        partial: (await outcome(shelf.search("tent", { onPartial: 5 }))).code,
        signal: (await outcome(shelf.search("tent", { signal: 5 }))).code,
      };
    }
    return {
      ...answers,
      worker: (await outcome(openShelf("/shelf/", { worker: 5 }))).message,
      open: (await outcome(openShelf("/shelf/", null))).code,
      timeout: (await outcome(openShelf("/shelf/", { timeout: { stall: -1 } }))).message,
      lacking: (await outcome(openShelf((name) => (name === "shelf.nsm" ? fetch(`/shelf/${name}`) : undefined)))).message,
    };
  });
  for (const worker of [true, false]) {
    const { large, unknown, null: none, function: named, partial, signal } = answers[worker];
    assert.equal(large, 6000);
    assert.deepEqual(unknown, [1, 1, 1, 0]);
    assert.equal(none, "options");
    assert.match(named, /^probe: /);
    assert.deepEqual([partial, signal], ["options", "options"]);
  }
  assert.match(answers.worker, /^worker: /);
  assert.equal(answers.open, "options");
  assert.match(answers.timeout, /^timeout\.stall: /);
  assert.equal(answers.lacking.match(/Give openShelf every file/g)?.length, 1, answers.lacking);
});

inPage("a callback that throws stops nothing", async () => {
  for (const worker of [true, false]) {
    const count = await page.evaluate(async (worker) => {
      addEventListener("error", (event) => event.preventDefault());
      const onProgress = () => {
        throw new Error("the page's own fault");
      };
      const shelf = await openShelf("/shelf/", { worker, onProgress, cache: false });
      const count = (await shelf.search("tent", { ...both, onPartial: onProgress })).length;
      return count;
    }, worker);
    assert.equal(count, 10);
    assert.equal(fetched(/encoder-/).length, worker ? 1 : 2, "it was taken for a fault of the network");
  }
});

inPage("the module's address is as the page means it", async () => {
  const options = { wasm: "package/wasm/relaxed-simd.wasm" };
  assert.deepEqual(await search("/shelf/", options), { value: 10 });
});

inPage("without a connection at the first visit the worker's own script is named", async () => {
  await context.setOffline(true);
  const error = await search();
  assert.deepEqual([error.name, error.code], ["PlatformError", "worker-offline"], error.message);
  assert.match(error.message, /service worker/);
  await context.setOffline(false);
  assert.deepEqual(await search(), { value: 10 });
});

inPage("an old manifest of a cache, whose shards are gone, is named with the cache", async () => {
  const gone = readdirSync(SHARDED).filter((name) => !readdirSync(CHANGED).includes(name) && name.startsWith("shard-"));
  const old = readFileSync(join(SHARDED, "shelf.nsm"));
  server.folders.sharded = CHANGED;
  instead(/shelf\.nsm/, (response) => response.writeHead(200, { "content-length": old.length }).end(old));
  const { codes, message, partial } = await page.evaluate(async () => {
    const shelf = await openShelf("/sharded/", { onWarning: warned });
    const { partial } = await shelf.search("a gift", { ...both, probe: 100 });
    return { codes: warnings.map(({ code }) => code), message: warnings.at(-1)?.message, partial };
  });
  // The shard, and its front.
  assert.deepEqual([codes, partial], [["http", "http"], true]);
  assert.ok(message.includes(gone[0]) && /no cache keeps an old shelf\.nsm/.test(message), message);
});
