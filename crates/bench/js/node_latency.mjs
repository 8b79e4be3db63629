// Median latency in ms for one text in Node, one thread.
// Usage: node_latency.mjs ours MODULE_DIR MODEL_DIR | node_latency.mjs onnxruntime MODEL
// Reads numbers of tokens, one a line, and answers each with a time. onnxruntime-web is looked for from
// the working directory.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const RUNS = 30;
const [kind, ...paths] = process.argv.slice(2);

async function ours([moduleDir, modelDir]) {
  const { default: init, Encoder } = await import(pathToFileURL(join(moduleDir, "nearshelf.js")));
  await init({ module_or_path: readFileSync(join(moduleDir, "nearshelf_bg.wasm")) });
  const encoder = new Encoder(new Uint8Array(readFileSync(join(modelDir, "network.nsn"))), false);
  return (tokens) => encoder.encode(Array(tokens - 2).fill("warm").join(" "));
}

async function onnxruntime([model]) {
  const require = createRequire(join(process.cwd(), "package.json"));
  const ort = await import(pathToFileURL(require.resolve("onnxruntime-web")));
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(readFileSync(model), { executionProviders: ["wasm"] });
  return (tokens) => {
    const tensor = (value) =>
      new ort.Tensor("int64", BigInt64Array.from({ length: tokens }, (_, i) => value(i)), [1, tokens]);
    return session.run({
      input_ids: tensor((i) => (i === 0 ? 101n : i === tokens - 1 ? 102n : 4010n)),
      attention_mask: tensor(() => 1n),
      token_type_ids: tensor(() => 0n),
    });
  };
}

const encode = await { ours, onnxruntime }[kind](paths);
// Until the engine has compiled what is hot.
for (let i = 0; i < 60; i++) await encode(32);
for await (const line of createInterface({ input: process.stdin })) {
  const times = [];
  for (let run = 0; run < RUNS + 3; run++) {
    const start = performance.now();
    await encode(Number(line));
    if (run >= 3) times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  console.log(times[RUNS / 2].toFixed(4));
}
