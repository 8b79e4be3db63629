// The package in workerd: a Worker bundled as wrangler does it, the module imported, the shelf from static assets.
// Usage: workerd.mjs PROJECT SHELF_PARENT EXPECTED.json NODE_MODULES; the shelf lies in SHELF_PARENT/shelf.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [project, assets, expectedPath, modules] = process.argv.slice(2);
const require = createRequire(join(modules, "x.js"));
const esbuild = require("esbuild");
const { Miniflare } = require("miniflare");

const source = `
import { openShelf } from "nearshelf";
import { checkGolden } from "./golden.mjs";
let shelf, cold;
const address = "https://assets/shelf/";
export default {
  async fetch(request, env, ctx) {
    if (new URL(request.url).pathname === "/cold") {
      // Opened by the first request, which is answered by words.
      cold ??= openShelf(address, { fetch: (url, init) => env.ASSETS.fetch(url, init), waitUntil: (work) => ctx.waitUntil(work) });
      const hits = await (await cold).search("rain jacket");
      return Response.json({ stage: hits.stage, ids: hits.map(({ id }) => id) });
    }
    shelf ??= openShelf(address, { fetch: (url, init) => env.ASSETS.fetch(url, init) });
    const open = await shelf;
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/golden") return Response.json({ checked: await checkGolden(open, await request.json()), build: open.build });
    if (pathname === "/stats") return Response.json(await open.stats());
    if (pathname === "/loop") {
      for (let i = 0; i < Number(searchParams.get("n")); i++) await open.search("a warm jacket for autumn " + i);
      return new Response("done");
    }
    return Response.json(await open.search(searchParams.get("q") ?? ""));
  },
};`;
const copied = [];
const { outputFiles } = await esbuild.build({
  stdin: { contents: source, resolveDir: project, sourcefile: "worker.js" },
  bundle: true,
  format: "esm",
  write: false,
  conditions: ["workerd", "worker", "browser"],
  plugins: [
    {
      name: "wasm-as-module",
      setup(build) {
        build.onResolve({ filter: /\.wasm$/ }, ({ path, resolveDir }) => {
          copied.push(join(resolveDir, path));
          return { path: `./module-${copied.length - 1}.wasm`, external: true };
        });
      },
    },
  ],
});
const worker = new Miniflare({
  inspectorPort: 0,
  compatibilityDate: "2026-01-01",
  modules: [
    { type: "ESModule", path: "worker.js", contents: outputFiles[0].text },
    ...copied.map((path, i) => ({ type: "CompiledWasm", path: `module-${i}.wasm`, contents: readFileSync(path) })),
  ],
  assets: { directory: assets, binding: "ASSETS", routerConfig: { has_user_worker: true, invoke_user_worker_ahead_of_assets: true } },
});

/** Resident and CPU of the workerd process: peak bytes, and seconds. */
function usage() {
  const pids = execFileSync("ps", ["-eo", "pid,ppid,comm"], { encoding: "utf8" })
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , name]) => name === "workerd")
    .map(([pid]) => pid);
  const of = (pid) => {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /, "").split(" ");
    return { peak: Number(/VmHWM:\s+(\d+)/.exec(status)[1]) * 1024, cpu: (Number(stat[11]) + Number(stat[12])) / 100 };
  };
  return pids.map(of).reduce((a, b) => (a.peak > b.peak ? a : b));
}

/** Bytes of the isolate's JavaScript heap, by its inspector. */
async function heap() {
  const socket = new WebSocket(new URL("/core:user:", await worker.getInspectorURL()));
  await new Promise((resolve, reject) => Object.assign(socket, { onopen: resolve, onerror: reject }));
  const answer = new Promise((resolve) => (socket.onmessage = ({ data }) => resolve(JSON.parse(data).result)));
  socket.send(JSON.stringify({ id: 1, method: "Runtime.getHeapUsage" }));
  const { totalSize } = await answer;
  socket.close();
  return totalSize;
}

try {
  const url = await worker.ready;
  const empty = usage();
  const get = async (path, init) => {
    const response = await fetch(new URL(path, url), init);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response;
  };
  await get("/?q=rain+jacket");
  const opened = usage();
  const { checked, build } = await (await get("/golden", { method: "POST", body: readFileSync(expectedPath, "utf8") })).json();
  await get("/loop?n=200");
  const before = usage();
  const { memory } = await (await get("/stats")).json();
  await get("/loop?n=1000");
  const after = usage();
  const now = (await (await get("/stats")).json()).memory;
  if (now !== memory) throw new Error(`memory grew from ${memory} to ${now}`);
  // What counts against the limit of an isolate. Files are written into the module's memory as they come, and hashed on
  // the way: none is in JavaScript's hands as a whole.
  const javascript = await heap();
  const mb = (bytes) => (bytes / 1e6).toFixed(1);
  console.log(`${build}: ${checked} queries agree`);
  console.log(`isolate peak ${mb(memory + javascript)} MB: wasm ${mb(memory)}, heap ${mb(javascript)}`);
  console.log(`process ${mb(empty.peak)} MB without the shelf, ${mb(opened.peak)} MB at its peak`);
  const cold = async () => (await get("/cold")).json();
  const answers = [await cold()];
  for (let i = 0; i < 100 && answers.at(-1).stage === "words"; i++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    answers.push(await cold());
  }
  const [first, last] = [answers[0], answers.at(-1)];
  if (first.stage !== "words" || last.stage !== "hybrid" || first.ids.length !== 10) throw new Error(JSON.stringify([first, last]));
  console.log(`a cold isolate answers by words, and by both after ${answers.length - 1} requests`);
  console.log(`a warm query takes ${(after.cpu - before.cpu).toFixed(2)} ms of CPU, of 10 (free) or 50`);
} finally {
  await worker.dispose();
}
