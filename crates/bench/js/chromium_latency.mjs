// Latencies in Chromium, ours and onnxruntime-web's in turn in one page, one thread; and the time from the bytes of a
// network at hand to the first vector, in pages of their own.
// Usage: chromium_latency.mjs MODULE_DIR MODEL_DIR DEMO_NETWORK ONNXRUNTIME_MODEL NODE_MODULES
// Prints `load NETWORK MS`, the median of the pages, then `TOKENS OURS THEIRS` in ms.
import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join } from "node:path";

const [moduleDir, modelDir, demo, ortModel, nodeModules] = process.argv.slice(2);
const require = createRequire(join(nodeModules, "x.js"));
const { chromium } = require("playwright-core");

const types = { ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm" };
const folders = { ours: moduleDir, model: modelDir, ort: join(nodeModules, "onnxruntime-web/dist") };
const server = createServer((request, response) => {
  const [, folder, name] = request.url.split("/");
  const files = { theirs: ortModel, demo };
  const path = files[folder] ?? (folders[folder] && join(folders[folder], name));
  if (!path || !existsSync(path)) {
    response.writeHead(folder ? 404 : 200, { "content-type": "text/html" }).end("<!doctype html>");
    return;
  }
  response.writeHead(200, { "content-type": types[extname(path)] ?? "application/octet-stream" });
  createReadStream(path).pipe(response);
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));

const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
/** Milliseconds from a network's bytes to its first vector, in a new page. */
async function load(address) {
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  const ms = await page.evaluate(async (address) => {
    const network = new Uint8Array(await (await fetch(address)).arrayBuffer());
    const { default: init, Encoder } = await import("/ours/nearshelf.js");
    await init({ module_or_path: "/ours/nearshelf_bg.wasm" });
    const start = performance.now();
    // As an app does: the browser's own SHA-256 beside the encoder's loading.
    const digest = crypto.subtle.digest("SHA-256", network);
    const encoder = new Encoder(network, true);
    if ((await digest).byteLength !== 32) throw new Error("digest");
    encoder.encode("rain jacket");
    return performance.now() - start;
  }, address);
  await page.close();
  return ms;
}

try {
  for (const [name, address] of Object.entries({ "the demo's": "/demo/network", "the model's": "/model/network.nsn" })) {
    const times = [];
    for (let round = 0; round < 9; round++) times.push(await load(address));
    console.log(`load\t${name}\t${times.sort((a, b) => a - b)[4].toFixed(1)}`);
  }
  const page = await browser.newPage();
  page.on("console", (message) => console.log(message.text()));
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.evaluate(async () => {
    const bytes = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());
    const [model, theirs] = await Promise.all(["/model/network.nsn", "/theirs/model"].map(bytes));
    const { default: init, Encoder } = await import("/ours/nearshelf.js");
    await init({ module_or_path: "/ours/nearshelf_bg.wasm" });
    const encoder = new Encoder(model, true);

    const ort = await import("/ort/ort.wasm.min.mjs");
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.wasmPaths = "/ort/";
    const session = await ort.InferenceSession.create(theirs, { executionProviders: ["wasm"] });
    const tensor = (tokens, value) =>
      new ort.Tensor("int64", BigInt64Array.from({ length: tokens }, (_, i) => value(i)), [1, tokens]);
    const ours = (tokens) => encoder.encode(Array(tokens - 2).fill("warm").join(" "));
    const their = (tokens) =>
      session.run({
        input_ids: tensor(tokens, (i) => (i === 0 ? 101n : i === tokens - 1 ? 102n : 4010n)),
        attention_mask: tensor(tokens, () => 1n),
        token_type_ids: tensor(tokens, () => 0n),
      });
    const median = async (encode, tokens) => {
      const times = [];
      for (let run = 0; run < 33; run++) {
        const start = performance.now();
        await encode(tokens);
        if (run >= 3) times.push(performance.now() - start);
      }
      return times.sort((a, b) => a - b)[15];
    };
    for (let i = 0; i < 100; i++) {
      ours(32);
      await their(32);
    }
    for (const tokens of [8, 16, 32, 64, 128, 256]) {
      const rounds = { ours: [], theirs: [] };
      for (let round = 0; round < 3; round++) {
        rounds.ours.push(await median(ours, tokens));
        rounds.theirs.push(await median(their, tokens));
      }
      const middle = (times) => times.sort((a, b) => a - b)[1].toFixed(3);
      console.log(`${tokens} ${middle(rounds.ours)} ${middle(rounds.theirs)}`);
    }
  });
} finally {
  await browser.close();
  server.close();
}
