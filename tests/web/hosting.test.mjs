// A host as web/HOSTING.md describes it, and one that compresses what it gives in parts. Environment: see pages.mjs.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { extname, join } from "node:path";
import { gzipSync } from "node:zlib";

import { CHANGED, SHARDED, fetched, inPage, openPage, page, serveAll, server } from "./pages.mjs";

const gzipped = new Map();

/** Answers for the shelf's files and the package's modules with the headers of the page, `compressed` or in parts. */
function host(from, folder, compressed = [".js", ".wasm"]) {
  from.fault = (path, request, response) => {
    const [, place, name] = /^\/(sharded|package\/wasm)\/([^/]+)$/.exec(path) ?? [];
    if (!place) return false;
    const file = place === "sharded" ? join(folder(), name) : join(process.env.NEARSHELF_PACKAGE, "wasm", name);
    let bytes;
    try {
      bytes = readFileSync(file);
    } catch {
      response.writeHead(404).end();
      return true;
    }
    const manifest = name === "shelf.nsm";
    const headers = {
      "content-type": { ".wasm": "application/wasm", ".js": "text/javascript" }[extname(name)] ?? "application/octet-stream",
      "cache-control": manifest ? "no-cache" : "public, max-age=31536000, immutable",
      "access-control-allow-origin": "*",
      "access-control-expose-headers": "Content-Range, Content-Length",
    };
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    if (start > 0 && !compressed.includes(extname(name))) {
      const range = { "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}`, "content-length": bytes.length - start };
      response.writeHead(206, { ...headers, ...range }).end(bytes.subarray(start));
      return true;
    }
    if (compressed.includes(extname(name))) {
      headers["content-encoding"] = "gzip";
      if (!gzipped.has(file)) gzipped.set(file, gzipSync(bytes));
      bytes = gzipped.get(file);
    }
    from.send ??= (response, headers, bytes) => response.writeHead(200, { ...headers, "content-length": bytes.length }).end(bytes);
    from.send(response, headers, bytes, request, name);
    return true;
  };
}

const search = (address, name = "shelf") =>
  page.evaluate(
    async ([address, name]) => {
      globalThis[name] ??= await openShelf(address, { onWarning: warned });
      const hits = await globalThis[name].search("a gift", { k: 50, mode: "hybrid" });
      return { ids: hits.map((hit) => hit.id).join(), partial: hits.partial, warnings: warnings.map(({ code }) => code) };
    },
    [address, name],
  );

inPage("a shelf that is replaced as the page says goes on in pages that are open, and is new in others", async () => {
  const other = await serveAll();
  let folder = SHARDED;
  const old = readdirSync(SHARDED);
  // Old shards stay beside the new; the manifest is exchanged last.
  host(other, () => folder);
  const address = `${other.url}/sharded/`;
  const before = await page.evaluate(async (address) => {
    globalThis.shelf = await openShelf(address, { onWarning: warned });
    return shelf.shards;
  }, address);
  const both = other.fault;
  folder = CHANGED;
  other.fault = (path, request, response) => {
    folder = old.includes(path.split("/").pop()) && !path.endsWith("shelf.nsm") ? SHARDED : CHANGED;
    return both(path, request, response);
  };
  const open = await search(address);
  assert.deepEqual([open.partial, open.warnings], [false, []], "the page that was open");
  const shards = () => fetched(/shard-/, other).map(({ path }) => path);
  await page.evaluate(() => shelf.load());
  assert.equal(shards().length, before);
  const fresh = await openPage();
  const count = await fresh.evaluate(async (address) => {
    const shelf = await openShelf(address);
    await shelf.load();
    return (await shelf.search("a gift", { k: 50, mode: "hybrid" })).length;
  }, address);
  assert.equal(count, 50);
  assert.equal(shards().length, before + 1, "only the shard that changed is fetched");
});

inPage("where parts are of the compressed file, which cannot be decoded, the file is asked for again, whole", async () => {
  host(server, () => SHARDED, [".js", ".wasm", ".nss", ".nsn"]);
  let broken = 0;
  server.send = (response, headers, bytes, request, name) => {
    const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    if (from > 0) {
      const part = bytes.subarray(Math.min(from, bytes.length - 1));
      const range = `bytes ${from}-${bytes.length - 1}/${bytes.length}`;
      response.writeHead(206, { ...headers, "content-length": part.length, "content-range": range }).end(part);
    } else if (name.startsWith("encoder-") && (broken += 1) === 1) {
      response.writeHead(200, { ...headers, "content-length": bytes.length });
      response.write(bytes.subarray(0, 3 << 20), () => setTimeout(() => response.destroy(), 100));
    } else response.writeHead(200, { ...headers, "content-length": bytes.length }).end(bytes);
  };
  const found = await search("/sharded/");
  assert.deepEqual([found.partial, found.ids.split(",").length], [false, 50]);
  // Of several shards a few find out, not all.
  assert.ok(fetched(/shard-/).length <= new Set(fetched(/shard-/).map(({ path }) => path)).size + 3);
  const encoder = fetched(/encoder-/);
  assert.ok(encoder.some(({ range }) => range) && !encoder.at(-1).range, JSON.stringify(encoder));
});
