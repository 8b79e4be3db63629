// The worker in which a shelf lives by default in browsers. It answers the messages of `remote.js`.

import { fromMessage, toMessage } from "./failure.js";
import { Hits } from "./hits.js";
import { locate } from "./locate.js";
import { onnx } from "./onnx.js";
import { LocalShelf } from "./shelf.js";
import { toSource } from "./source.js";

/** Milliseconds between reports of progress. */
const REPORT_MS = 50;

/** @type {LocalShelf | undefined} */
let shelf;
/** Work behind answers that were given, by the call's number. @type {Map<number, Promise<void>>} */
const behind = new Map();
/** Calls that can be aborted, and reads that wait for the page, by number. */
const aborts = new Map();
const reads = new Map();
let lastRead = 0;
const post = (/** @type {any} */ message, /** @type {Transferable[]} */ transfer = []) =>
  /** @type {any} */ (globalThis).postMessage(message, transfer);

/** A source whose files the page gives. @returns {import("./source.js").Source} */
function proxy(/** @type {string | undefined} */ base) {
  return {
    base,
    read: (name) =>
      new Promise((resolve, reject) => {
        lastRead += 1;
        reads.set(lastRead, { resolve, reject });
        post({ type: "read", number: lastRead, name });
      }),
  };
}

/** @param {any} message @param {AbortSignal} signal */
async function open({ source, cache, encoder, wasm, onnxWasm, timeout, revalidate, wantsUpdate }, signal) {
  let last = 0;
  const onProgress = (/** @type {any} */ progress) => {
    const now = performance.now();
    if (now - last < REPORT_MS && progress.loaded < progress.total) return;
    last = now;
    post({ type: "progress", progress });
  };
  const onWarning = (/** @type {any} */ error) => post({ type: "warning", error: toMessage(error) });
  const onUpdate = wantsUpdate ? () => post({ type: "update" }) : undefined;
  const from = source.url ? toSource(source.url, { revalidate: true, kept: cache }) : proxy(source.base);
  const given = { network: wasm, onnx: onnxWasm };
  const modules = { locate: (/** @type {"network" | "onnx"} */ kind) => given[kind] ?? locate(kind), onnx: () => onnx };
  shelf = await LocalShelf.open(from, { signal, onProgress, onWarning, onUpdate, cache, encoder, background: true, timeout, revalidate }, modules);
  return shelf.about;
}

/** @type {Record<string, (message: any, signal: AbortSignal) => Promise<any>>} */
const calls = {
  open,
  search: async ({ text, options, number }, signal) => Hits.plain_(await here().search(text, within(options, number, signal))),
  searchVector: async ({ vector, options, number }, signal) =>
    Hits.plain_(await here().searchVector(vector, within(options, number, signal))),
  similar: async ({ id, options, number }, signal) => Hits.plain_(await here().similar(id, within(options, number, signal))),
  recommend: async ({ asked, number }, signal) => Hits.plain_(await here().recommend(within(asked, number, signal))),
  get: ({ id }, signal) => here().get(id, { signal }),
  suggest: ({ text, options }, signal) => here().suggest(text, { ...options, signal }),
  encode: ({ text }, signal) => here().encode(text, { signal }),
  load: (_, signal) => here().load({ signal }),
  overlay: ({ news }) => here().overlay(news),
  refresh: (_, signal) => here().refresh({ signal }),
  stats: () => here().stats(),
};

function here() {
  if (!shelf) throw new Error("no shelf was opened");
  return shelf;
}

/** @param {any} options @param {number} number @param {AbortSignal} signal */
function within({ wantsPartial, ...options }, number, signal) {
  const onPartial = (/** @type {any} */ hits) => post({ type: "partial", number, hits: Hits.plain_(hits) });
  const goesOn = (/** @type {Promise<void>} */ work) => behind.set(number, work);
  return { ...options, signal, goesOn, onPartial: wantsPartial ? onPartial : undefined };
}

globalThis.addEventListener("message", async (/** @type {any} */ { data }) => {
  if (data.type === "abort") return aborts.get(data.number)?.abort();
  if (data.type === "file") {
    const { resolve, reject } = reads.get(data.number);
    reads.delete(data.number);
    return data.error ? reject(fromMessage(data.error)) : resolve(data.bytes);
  }
  const { number } = data;
  const abort = new AbortController();
  aborts.set(number, abort);
  try {
    const value = await calls[data.type](data, abort.signal);
    const work = behind.get(number);
    post({ type: "answer", number, value, goesOn: work !== undefined });
    if (!work) return;
    await work;
    post({ type: "done", number });
  } catch (error) {
    post({ type: "answer", number, error: toMessage(error) });
  } finally {
    aborts.delete(number);
    behind.delete(number);
  }
});

post({ type: "ready" });
