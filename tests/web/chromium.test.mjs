// The package in Chromium, from a plain static server. Environment: see pages.mjs, and EXPECTED and EXPECTED_SHARDED
// (golden queries).
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { CHANGED, SHARDED, SHELF, context, fetched, inPage, instead, named, page, search, server, turnPage } from "./pages.mjs";
import { breakOff } from "./server.mjs";

const golden = (file) => JSON.parse(readFileSync(file, "utf8"));
const expected = golden(process.env.EXPECTED);
const expectedSharded = golden(process.env.EXPECTED_SHARDED);
const shards = (folder) => readdirSync(folder).filter((name) => name.startsWith("shard-"));
const ANSWERED = { value: 10 };

inPage("golden queries, in a worker and in the page, on one shard and on several", async () => {
  const check = ([address, wanted, worker]) =>
    page.evaluate(
      async ([address, wanted, worker]) => {
        const shelf = await openShelf(address, { worker });
        const checked = await checkGolden(shelf, wanted);
        shelf.dispose();
        return `${shelf.build} ${checked}`;
      },
      [address, wanted, worker],
    );
  assert.equal(await check(["/shelf/", expected, true]), `relaxed-simd ${expected.length}`);
  assert.equal(await check(["/shelf", expected, false]), `relaxed-simd ${expected.length}`);
  assert.equal(await check(["/sharded/shelf.nsm", expectedSharded, true]), `relaxed-simd ${expectedSharded.length}`);
});

inPage("only the shards that a query needs are fetched, a few at a time", async () => {
  const all = shards(SHARDED);
  const open = await page.evaluate(async () => {
    globalThis.shelf = await openShelf("/sharded/");
    return shelf.shards;
  });
  assert.equal(open, all.length);
  assert.equal(fetched(/shard-/).length, 0, "shards before the first query");
  const searched = await page.evaluate(async () => (await shelf.search("rain jacket", { probe: 2, mode: "meaning" })).shards);
  assert.deepEqual(searched, { searched: 2, missing: 0 });
  assert.equal(fetched(/shard-/).length, 2);
  // As many as are asked for before one is answered.
  const held = [];
  instead(/shard-/, (response, request, path) => held.push([response, path]));
  await page.evaluate(() => (globalThis.loads = shelf.load()) && undefined);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assert.ok(held.length > 0 && held.length <= 3, `${held.length} at a time`);
  server.fault = undefined;
  for (const [response, path] of held) response.writeHead(200).end(readFileSync(join(SHARDED, path.split("/").pop())));
  await page.evaluate(() => loads);
  assert.equal(new Set(fetched(/shard-/).map(({ path }) => path)).size, all.length);
  assert.equal(fetched(/shard-/).length, all.length, "a shard was fetched twice");
});

inPage("hits are there with the first shard, marked partial, and in the end all", async () => {
  const held = [];
  let first;
  instead(/shard-/, (response, request, path) => {
    first ??= path;
    const send = () => response.writeHead(200).end(readFileSync(join(SHARDED, path.split("/").pop())));
    if (path === first) send();
    else held.push(send);
  });
  await page.exposeFunction("letGo", () => {
    server.fault = undefined;
    for (const [i, go] of held.splice(0).entries()) setTimeout(go, 100 * i);
  });
  const { soon, reports, all } = await page.evaluate(async () => {
    const about = (hits) => ({ ids: hits.map((hit) => hit.id), partial: hits.partial, shards: hits.shards });
    const shelf = await openShelf("/sharded/");
    const soon = about(await shelf.search("a gift", { ...both, k: 50, probe: 4, partial: true }));
    const reports = [];
    const answer = shelf.search("a gift", { ...both, k: 50, probe: 4, onPartial: (hits) => reports.push(about(hits)) });
    await letGo();
    return { soon, reports, all: about(await answer) };
  });
  assert.deepEqual([soon.partial, soon.ids.length, soon.shards], [true, 50, { searched: 1, missing: 3 }]);
  assert.ok(reports.length >= 1 && reports.every((report) => report.partial));
  assert.deepEqual([all.partial, all.shards], [false, { searched: 4, missing: 0 }]);
  assert.notDeepEqual(soon.ids, all.ids, "one shard had all of it");
});

inPage("searches are answered in the order of their calls", async () => {
  const order = await page.evaluate(async () => {
    const shelf = await openShelf("/sharded/");
    const order = [];
    const queries = ["tent", "rain jacket", "", "a red dress for a summer wedding", "kettle"];
    await Promise.all(queries.map((query) => shelf.search(query, both).then(() => order.push(query))));
    return order.join("|");
  });
  // A query without words has nothing to wait for.
  assert.equal(order, "|tent|rain jacket|a red dress for a summer wedding|kettle");
});

inPage("a shelf comes from a Response, from a function and from bytes, into worker and page", async () => {
  const found = await page.evaluate(async () => {
    const get = (name) => fetch(`/shelf/${name}`);
    const names = (await (await fetch("/names")).json());
    const files = {};
    for (const name of names) files[name] = await (await get(name)).arrayBuffer();
    const sources = [
      () => fetch("/shelf/shelf.nsm"),
      () => get,
      () => async (name) => files[name],
      () => files,
      () => new Map(Object.entries(files)),
    ];
    const ids = [];
    for (const worker of [true, false]) {
      for (const source of sources) {
        const shelf = await openShelf(await source(), { worker });
        ids.push((await shelf.search("rain jacket", both)).map((hit) => hit.id).join());
        shelf.dispose();
      }
    }
    return { kinds: new Set(ids).size, count: ids.length, kept: files["shelf.nsm"].byteLength };
  });
  assert.deepEqual([found.kinds, found.count], [1, 10]);
  assert.ok(found.kept > 0, "the caller's bytes were taken away");
});

inPage("what was loaded is used again, without a connection too", async () => {
  const search = () =>
    page.evaluate(async () => {
      let last;
      const shelf = await openShelf("/sharded/", { onProgress: (progress) => (last = progress) });
      await shelf.load();
      const hits = await shelf.search("rain jacket", both);
      shelf.dispose();
      return { ids: hits.map((hit) => hit.id), ...last };
    });
  const first = await search();
  assert.equal(first.loaded, first.total);
  assert.equal(first.stored, 0);
  const before = fetched(/sharded/).length;
  const second = await search();
  assert.equal(second.stored, second.total);
  assert.equal(fetched(/sharded/).length, before + 1, "more than the manifest was fetched again");
  instead(/sharded/, (response) => response.destroy());
  assert.deepEqual((await search()).ids, first.ids);
});

inPage("of a changed shelf only what changed is fetched, and the rest is dropped", async () => {
  const open = () =>
    page.evaluate(async () => {
      const shelf = await openShelf("/sharded/");
      await shelf.load();
      shelf.dispose();
      const keys = await (await caches.open("nearshelf")).keys();
      // The module is kept beside the shelves' files.
      return keys.map(({ url }) => url.split("/").pop()).filter((name) => !name.endsWith(".wasm")).sort();
    });
  // What items were made of is for tools.
  const files = (folder) => readdirSync(folder).filter((name) => !name.endsWith(".nsi")).sort();
  assert.deepEqual(await open(), files(SHARDED));
  const before = server.requests.length;
  server.folders.sharded = CHANGED;
  const kept = await open();
  const news = files(CHANGED).filter((name) => !files(SHARDED).includes(name));
  const fetchedNow = server.requests.slice(before).map(({ path }) => path.split("/").pop());
  assert.deepEqual(fetchedNow.filter((name) => /nsm|nss|nsf|nsn$/.test(name)).sort(), ["shelf.nsm", ...news].sort());
  assert.equal(news.length, 2, "a price that changed is one shard that changed, and its front");
  assert.deepEqual(kept, files(CHANGED));
});

inPage("a download that breaks off goes on where it was", async () => {
  const model = named(SHELF, "encoder-");
  let times = 0;
  server.fault = (path, request, response) => {
    if (!path.endsWith(model) || (times += 1) > 1) return false;
    breakOff(response, join(SHELF, model), 3 << 20);
    return true;
  };
  const count = await page.evaluate(async () => (await (await openShelf("/shelf/")).search("tent", both)).length);
  assert.equal(count, 10);
  const ranges = fetched(/encoder-/).map(({ range }) => range);
  assert.equal(ranges.length, 2);
  const start = Number(/^bytes=(\d+)-$/.exec(ranges[1])[1]);
  assert.ok(start > 1 << 20 && start <= 3 << 20, ranges[1]);
});

inPage("a slow download that broke off goes on after a reload", async () => {
  const model = named(SHELF, "encoder-");
  const bytes = readFileSync(join(SHELF, model));
  let times = 0;
  instead(/encoder-/, (response) => {
    if ((times += 1) > 1) return response.destroy();
    response.writeHead(200, { "content-length": bytes.length });
    response.write(bytes.subarray(0, 5 << 20));
    setTimeout(() => response.write(bytes.subarray(5 << 20, 9 << 20), () => setTimeout(() => response.destroy(), 300)), 2300);
  });
  assert.equal((await search()).code, "network");
  server.fault = undefined;
  await turnPage();
  const before = fetched(/encoder-/).length;
  assert.deepEqual(await search(), ANSWERED);
  assert.deepEqual(fetched(/encoder-/).slice(before).map(({ range }) => range), [`bytes=${8 << 20}-`]);
});

inPage("a signal stops opening, and a search that waits", async () => {
  instead(/words-/, () => undefined);
  const stopped = await page.evaluate(async () => {
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 200);
    const given = new AbortController();
    given.abort(new Error("changed my mind"));
    return [
      await outcome(openShelf("/shelf/", { signal: abort.signal })),
      await outcome(openShelf("/shelf/", { signal: given.signal })),
      await outcome(openShelf("/shelf/", { signal: AbortSignal.timeout(200), worker: false })),
    ];
  });
  assert.deepEqual(stopped.map(({ name, message }) => [name, message.slice(0, 15)]), [
    ["AbortError", "signal is abort"],
    ["Error", "changed my mind"],
    ["TimeoutError", "signal timed ou"],
  ]);
  instead(/shard-/, () => undefined);
  const search = await page.evaluate(async () => {
    const shelf = await openShelf("/shelf/");
    const waits = await outcome(shelf.search("tent", { ...both, signal: AbortSignal.timeout(200) }));
    return [waits.name, (await shelf.encode("tent")).length];
  });
  assert.deepEqual(search, ["TimeoutError", 384]);
});

inPage("the page is never busy for 50 ms while a shelf opens and answers", async () => {
  const { busy, seen } = await page.evaluate(async () => {
    const tasks = [];
    new PerformanceObserver((list) => tasks.push(...list.getEntries())).observe({ entryTypes: ["longtask"] });
    const rest = () => new Promise((resolve) => setTimeout(resolve, 100));
    await rest();
    tasks.length = 0;
    const shelf = await openShelf("/shelf/");
    for (let i = 0; i < 50; i++) await shelf.search(`a warm jacket for autumn ${i}`, { k: 50 });
    await rest();
    const busy = tasks.map(({ duration }) => duration);
    // That a long task is seen at all.
    setTimeout(() => {
      for (const start = performance.now(); performance.now() - start < 120; );
    });
    await rest();
    await rest();
    return { busy, seen: tasks.length > busy.length };
  });
  assert.ok(seen, "long tasks are not reported here");
  assert.deepEqual(busy, []);
});

inPage("10,000 searches take no more memory, and dispose gives it back", async () => {
  const { first, last, error } = await page.evaluate(async () => {
    const shelf = await openShelf("/shelf/");
    const some = async (count) => {
      for (let i = 0; i < count; i++) await shelf.search(`tent ${i % 997}`, { k: 10 });
      return (await shelf.stats()).memory;
    };
    // By both: the encoder comes behind the first answers, and is no leak.
    await shelf.search("tent", { mode: "hybrid" });
    // Every text once: scratch grows to what the longest needs.
    const first = await some(1_000);
    const last = await some(9_000);
    shelf.dispose();
    return { first, last, error: await outcome(shelf.search("tent")) };
  });
  assert.equal(last, first);
  assert.equal(error.code, "disposed");
  // The browser tells a moment later.
  for (let i = 0; i < 50 && page.workers().length > 0; i++) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(page.workers().length, 0);
  const again = await page.evaluate(async () => {
    const sizes = [];
    for (let i = 0; i < 3; i++) {
      const shelf = await openShelf("/shelf/", { worker: false });
      await shelf.search("tent", { mode: "hybrid" });
      sizes.push((await shelf.stats()).memory);
      shelf.dispose();
    }
    return sizes;
  });
  assert.ok(Math.max(...again) <= 1.1 * again[0], `memory of shelves opened one after the other: ${again}`);
});

inPage("a bad file is an error of its kind that says what to do", async () => {
  const shard = shards(SHELF)[0];
  const original = readFileSync(join(SHELF, shard));
  const page404 = (response) => response.writeHead(404).end();
  const body = (bytes, type = "application/octet-stream") => (response) =>
    response.writeHead(200, { "content-type": type, "content-length": bytes.length }).end(bytes);
  const altered = Buffer.from(original);
  altered[altered.length >> 1] ^= 1;
  const newer = readFileSync(join(SHELF, "shelf.nsm"));
  newer.writeUInt32LE(99, 12);
  const cases = [
    [/shelf\.nsm/, page404, "NetworkError", "http", "404"],
    [/encoder-/, page404, "NetworkError", "http", "uploaded"],
    [/shelf\.nsm/, body(Buffer.from("<!doctype html><title>shop</title>"), "text/html"), "ShelfError", "not-a-shelf", "unknown paths"],
    [/shelf\.nsm/, body(Buffer.from("{}")), "ShelfError", "format", "byte 0"],
    [/shelf\.nsm/, body(newer), "VersionError", "too-new", "update the npm package"],
    [/shard-/, body(original.subarray(0, 1000)), "ShelfError", "altered", "found 1000"],
    [/shard-/, body(altered), "ShelfError", "altered", "SHA-256"],
    [/encoder-/, body(Buffer.from("<html>")), "ShelfError", "altered", "upload"],
    [/shelf\.nsm/, (response) => response.destroy(), "NetworkError", "network", "connection"],
    [/shard-/, (response) => response.destroy(), "NetworkError", "network", "connection"],
    [/encoder-/, (response) => response.writeHead(503).end(), "NetworkError", "http", "503"],
  ];
  for (const worker of [true, false]) {
    for (const [file, answer, kind, code, says] of cases) {
      instead(file, answer);
      const error = await search("/shelf/", { cache: false, worker });
      assert.deepEqual([error.class, error.code], [kind, code], `${file}: ${error.message}`);
      assert.ok(error.message.includes(says), error.message);
    }
  }
  server.fault = undefined;
  assert.equal((await search("/nothing-here/")).code, "http");
  assert.equal((await search("http://127.0.0.1:9/shelf/")).code, "network");
  assert.deepEqual(await search(), ANSWERED);
});

inPage("without space for it a shelf answers, and says that it is not kept", async () => {
  const session = await context.newCDPSession(page);
  await session.send("Storage.overrideQuotaForOrigin", { origin: server.url, quotaSize: 1 << 20 });
  const { count, warnings } = await page.evaluate(async () => {
    const shelf = await openShelf("/shelf/", { onWarning: warned });
    await shelf.load();
    return { count: (await shelf.search("tent")).length, warnings };
  });
  assert.equal(count, 10);
  assert.deepEqual(warnings.map((one) => [one.class, one.code]), [["StorageError", "quota"]]);
  assert.match(warnings[0].message, /next visit downloads again/);
});

inPage("a policy against WebAssembly or workers is named", async () => {
  const policy = async (value, options) => {
    server.headers = { "content-security-policy": value };
    await turnPage();
    return search("/shelf/", options);
  };
  const wasm = "script-src 'self'; worker-src 'self'";
  for (const worker of [true, false]) {
    const error = await policy(wasm, { worker });
    assert.deepEqual([error.class, error.code], ["PlatformError", "wasm-blocked"], error.message);
    assert.match(error.message, /wasm-unsafe-eval/);
  }
  const blocked = await policy("script-src 'self' 'wasm-unsafe-eval'; worker-src 'none'", {});
  assert.deepEqual([blocked.class, blocked.code], ["PlatformError", "worker-blocked"], blocked.message);
  assert.match(blocked.message, /worker: false/);
  assert.deepEqual(await policy("script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'", {}), ANSWERED);
  const trusted = await policy("require-trusted-types-for 'script'", {});
  assert.equal(trusted.code, "worker-blocked");
  assert.match(trusted.message, /require-trusted-types-for/);
  assert.deepEqual(await policy("require-trusted-types-for 'script'", { worker: false }), ANSWERED);
});

const noSimd = ["--js-flags=--no-enable-sse4-1 --no-enable-ssse3 --no-enable-sse3"];
inPage(
  "a runtime without SIMD is named",
  async () => {
    for (const worker of [true, false]) {
      const error = await search("/shelf/", { worker });
      assert.deepEqual([error.class, error.code], ["PlatformError", "no-simd"], error.message);
      assert.match(error.message, /Safari 16\.4/);
    }
  },
  noSimd,
);
