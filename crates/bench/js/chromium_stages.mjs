// The demo page in Chromium behind a line of a phone: bytes and time to the first hits by words, and by words and meaning;
// a second visit; the tab's memory. The server compresses js, wasm, json, html and css, and nothing else.
// Usage: chromium_stages.mjs SITE NODE_MODULES ROUNDS. Prints a JSON object a round and line.
import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { connect, createServer as createLine } from "node:net";
import { extname, join, normalize } from "node:path";
import { gzipSync } from "node:zlib";

const [site, modules, rounds] = process.argv.slice(2);
const { chromium } = createRequire(join(modules, "x.js"))("playwright-core");
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const QUERY = "something warm for a rainy hike";

const TYPES = { ".css": "text/css", ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".json": "application/json", ".wasm": "application/wasm" };
const packed = new Map();
const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, "http://localhost");
  const path = join(site, normalize(pathname === "/" ? "index.html" : pathname));
  let bytes;
  try {
    if (!statSync(path).isFile()) throw new Error("a folder");
    bytes = readFileSync(path);
  } catch {
    return response.writeHead(404).end();
  }
  const type = TYPES[extname(path)];
  const headers = { "content-type": type ?? "application/octet-stream", "cache-control": path.endsWith(".nsm") ? "no-cache" : "max-age=600" };
  if (type) {
    if (!packed.has(path)) packed.set(path, gzipSync(bytes));
    bytes = packed.get(path);
    headers["content-encoding"] = "gzip";
  }
  const start = type ? 0 : Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  if (start > 0) headers["content-range"] = `bytes ${start}-${bytes.length - 1}/${bytes.length}`;
  response.writeHead(start > 0 ? 206 : 200, { ...headers, "content-length": bytes.length - start }).end(bytes.subarray(start));
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));

/** Pieces that connections share the line in. */
const PIECE = 1400;

/**
 * A line to the server: all connections share its bits, each answer takes half a round trip, a new connection one more.
 * @param {number} bits a second; 0 for as many as there are
 * @param {number} trip milliseconds
 */
async function line(bits, trip) {
  const state = { sent: 0, url: "", close: () => listener.close() };
  const later = (ms, run) => (ms > 0 ? setTimeout(run, ms) : run());
  /** Connections with pieces that wait, in turn. @type {{ client: import("node:net").Socket, pieces: Buffer[], ended: boolean }[]} */
  const waiting = [];
  let free = 0;
  let running = false;
  const send = () => {
    running = waiting.length > 0;
    while (waiting.length > 0) {
      const left = free - performance.now();
      if (left > 0) return void setTimeout(send, left);
      const one = waiting.shift();
      const piece = one.pieces.shift();
      free = Math.max(free, performance.now() - 5) + (bits > 0 ? (piece.length * 8000) / bits : 0);
      later(trip / 2, () => {
        state.sent += piece.length;
        if (!one.client.destroyed) one.client.write(piece);
      });
      if (one.pieces.length > 0) waiting.push(one);
      else if (one.ended) later(trip, () => one.client.end());
    }
    running = false;
  };
  const listener = createLine((client) => {
    const upstream = connect(server.address().port, "127.0.0.1");
    const one = { client, pieces: [], ended: false };
    let first = true;
    client.on("data", (data) => {
      later(first ? 1.5 * trip : trip / 2, () => upstream.write(data));
      first = false;
    });
    upstream.on("data", (data) => {
      const isNew = one.pieces.length === 0;
      for (let at = 0; at < data.length; at += PIECE) one.pieces.push(data.subarray(at, at + PIECE));
      if (isNew) waiting.push(one);
      if (!running) send();
    });
    // What is on the line still arrives.
    upstream.on("error", () => undefined).on("close", () => {
      one.ended = true;
      if (one.pieces.length === 0) later(trip, () => client.end());
    });
    client.on("error", () => undefined).on("close", () => upstream.destroy());
  });
  await new Promise((resolve) => listener.listen(0, "127.0.0.1", resolve));
  state.url = `http://127.0.0.1:${listener.address().port}/?q=${encodeURIComponent(QUERY)}`;
  return state;
}

/** The proportional set of all processes of a browser, bytes. @param {number} pid */
function memory(pid) {
  const parents = execFileSync("ps", ["-eo", "pid,ppid"], { encoding: "utf8" }).split("\n").slice(1).map((row) => row.trim().split(/\s+/).map(Number));
  const family = new Set([pid]);
  for (let size = 0; size !== family.size; ) {
    size = family.size;
    for (const [child, parent] of parents) if (family.has(parent)) family.add(child);
  }
  let sum = 0;
  for (const one of family) {
    try {
      const kind = readFileSync(`/proc/${one}/cmdline`, "utf8");
      if (kind.includes("--type=renderer")) sum += Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${one}/smaps_rollup`, "utf8"))[1]) * 1024;
    } catch {
      // It has ended.
    }
  }
  return sum;
}

/** Loads the page and waits for its hits. */
async function visit(context, line) {
  const page = await context.newPage();
  await page.addInitScript(() => {
    globalThis.stages = {};
    const look = () => {
      const { stage } = document.querySelector("#hits")?.dataset ?? {};
      if (stage && document.querySelector("#hits li")) {
        stages.first ??= performance.now();
        if (stage === "hybrid") stages.both ??= performance.now();
      }
      requestAnimationFrame(look);
    };
    look();
  });
  const before = line.sent;
  await page.goto(line.url, { timeout: 300_000 });
  await page.waitForFunction(() => stages.first, undefined, { timeout: 300_000 });
  const words = line.sent - before;
  await page.waitForFunction(() => stages.both, undefined, { timeout: 300_000 });
  const both = line.sent - before;
  const times = await page.evaluate(() => stages);
  return { page, bytes: { words, both }, ms: { words: times.first, both: times.both } };
}

const LINES = [["none", 0, 0], ["9 Mbit/s, 60 ms", 9e6, 60], ["1.6 Mbit/s, 150 ms", 1.6e6, 150]];
for (let round = 0; round < Number(rounds); round++) {
  for (const [name, bits, trip] of LINES) {
    const through = await line(bits, trip);
    const server = await chromium.launchServer({ executablePath, args: ["--no-sandbox", "--disable-background-networking"] });
    const browser = await chromium.connect(server.wsEndpoint());
    const context = await browser.newContext();
    const { page, bytes, ms } = await visit(context, through);
    await page.waitForFunction(() => document.documentElement.dataset.ready === "offline", undefined, { timeout: 300_000 });
    const pss = memory(server.process().pid);
    await page.close();
    const again = bits === 0 ? (await visit(context, through)).ms : undefined;
    console.log(JSON.stringify({ line: name, bytes, ms, pss, again }));
    await browser.close();
    await server.close();
    through.close();
  }
}
server.close();
server.closeAllConnections();
