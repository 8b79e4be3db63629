// From nothing cached to the first hits, and warm queries of 10 tokens, in Chromium from a local server: nearshelf, and
// transformers.js with voy or edgevec, in turn, over the same catalog and vectors.
// Usage: chromium_cold.mjs FOLDER PACKAGE SHELF NODE_MODULES ROUNDS. FOLDER has items.json, vectors.f32, model.
// Prints `PEER BYTES COLD_MS WARM_MS ID` for every round.
import { createReadStream, existsSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, packed, shelf, modules, rounds] = process.argv.slice(2);
const require = createRequire(join(modules, "x.js"));
const { chromium } = require("playwright-core");
const DIMS = 384;

/** The index as voy writes it, made once. */
async function voyIndex() {
  const voy = await import(pathToFileURL(join(modules, "voy-search/voy_search_bg.js")));
  const { instance } = await WebAssembly.instantiate(readFileSync(join(modules, "voy-search/voy_search_bg.wasm")), {
    "./voy_search_bg.js": voy,
  });
  voy.__wbg_set_wasm(instance.exports);
  const bytes = readFileSync(join(folder, "vectors.f32"));
  const vectors = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const items = JSON.parse(readFileSync(join(folder, "items.json"), "utf8"));
  const embeddings = items.map(({ id, title }, i) => ({
    id,
    title,
    url: "",
    embeddings: Array.from(vectors.subarray(i * DIMS, (i + 1) * DIMS)),
  }));
  return Buffer.from(new voy.Voy({ embeddings }).serialize());
}

const TYPES = { ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm", ".json": "application/json" };
const folders = {
  package: packed,
  shelf,
  model: join(folder, "model"),
  ort: join(modules, "@huggingface/transformers/node_modules/onnxruntime-web/dist"),
  transformers: join(modules, "@huggingface/transformers/dist"),
  voy: join(modules, "voy-search"),
  edgevec: join(modules, "edgevec"),
};
const voyBytes = await voyIndex();
let sent = 0;
const server = createServer((request, response) => {
  const [, first, ...rest] = new URL(request.url, "http://localhost").pathname.split("/");
  const send = (bytes, type) => {
    sent += bytes.length;
    response.writeHead(200, { "content-type": type, "content-length": bytes.length }).end(bytes);
  };
  if (first === "voy.index") return send(voyBytes, "application/octet-stream");
  if (first === "") return response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html>");
  const path = folders[first] ? join(folders[first], ...rest) : join(folder, first, ...rest);
  if (!existsSync(path) || !statSync(path).isFile()) return response.writeHead(404).end();
  const { size } = statSync(path);
  sent += size;
  response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "application/octet-stream", "content-length": size });
  createReadStream(path).pipe(response);
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));

/** A page: `open` gives a function from a text to the best item's id. */
const peers = {
  nearshelf: async () => {
    const { openShelf } = await import("/package/src/index.js");
    const shelf = await openShelf("/shelf/");
    return async (text) => (await shelf.search(text, { k: 10 }))[0].id;
  },
  voy: async () => {
    const load = async () => {
      const voy = await import("/voy/voy_search_bg.js");
      const { instance } = await WebAssembly.instantiateStreaming(fetch("/voy/voy_search_bg.wasm"), { "./voy_search_bg.js": voy });
      voy.__wbg_set_wasm(instance.exports);
      return voy.Voy.deserialize(await (await fetch("/voy.index")).text());
    };
    const [encode, index] = await Promise.all([encoder(), load()]);
    return async (text) => index.search(await encode(text), 10).neighbors[0].id;
  },
  edgevec: async () => {
    const load = async () => {
      const { default: init, EdgeVec, EdgeVecConfig } = await import("/edgevec/edgevec.js");
      const [, vectors, items] = await Promise.all([
        init(),
        fetch("/vectors.f32").then((response) => response.arrayBuffer()),
        fetch("/items.json").then((response) => response.json()),
      ]);
      const config = new EdgeVecConfig(384);
      // Its graph is built in the page: there is no file of one to fetch, and its flat index takes binary vectors only.
      config.metric = "cosine";
      const index = new EdgeVec(config);
      index.insertBatchFlat(new Float32Array(vectors), items.length);
      return { index, items };
    };
    const [encode, { index, items }] = await Promise.all([encoder(), load()]);
    return async (text) => items[index.search(await encode(text), 10)[0].id].id;
  },
};

const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
try {
  for (let round = 0; round < Number(rounds); round++) {
    for (const [name, open] of Object.entries(peers)) {
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.goto(`http://127.0.0.1:${server.address().port}/`);
      await page.evaluate(() => {
        globalThis.encoder = async () => {
          const { env, pipeline } = await import("/transformers/transformers.min.js");
          env.allowRemoteModels = false;
          env.allowLocalModels = true;
          env.localModelPath = "/model/";
          env.backends.onnx.wasm.wasmPaths = "/ort/";
          env.backends.onnx.wasm.numThreads = 1;
          const extract = await pipeline("feature-extraction", "minilm", { dtype: "q8", device: "wasm" });
          return async (text) => (await extract(text, { pooling: "mean", normalize: true })).data;
        };
      });
      sent = 0;
      const { cold, warm, id } = await page.evaluate(async (source) => {
        const start = performance.now();
        const search = await eval(`(${source})`)();
        const id = await search("something warm for a rainy hike");
        const cold = performance.now() - start;
        // Ten tokens each, no two the same.
        const words = ["red", "blue", "warm", "light", "large", "small", "winter", "summer", "garden", "kitchen", "travel"];
        const query = (i) => Array.from({ length: 8 }, (_, place) => words[(i * 7 + place * (1 + (i % 5))) % words.length]).join(" ");
        const times = [];
        for (let i = 0; i < 80; i++) {
          const start = performance.now();
          await search(query(i));
          if (i >= 20) times.push(performance.now() - start);
        }
        times.sort((a, b) => a - b);
        return { cold, warm: times[times.length / 2], id };
      }, open.toString());
      console.log(`${name} ${sent} ${cold.toFixed(1)} ${warm.toFixed(3)} ${id}`);
      await context.close();
    }
  }
} finally {
  await browser.close();
  server.close();
}
