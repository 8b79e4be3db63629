// A shelf in this thread: fetches what a query needs and gives it to the wasm module.

import { Shelf as Engine, memoryBytes, sha256 as engineSha256 } from "../wasm/nearshelf.js";
import { download, downloadManifest } from "./download.js";
import { abortReason, failure, fromEngine } from "./failure.js";
import { Hits } from "./hits.js";
import { MANIFEST } from "./source.js";
import { Store } from "./store.js";
import { acquire, init, isa, release } from "./wasm.js";

/** Shards that are downloaded at the same time. */
const PARALLEL = 3;

/**
 * @typedef {object} OpenOptions
 * @property {AbortSignal} [signal]
 * @property {(progress: { file: string, loaded: number, total: number, stored: number }) => void} [onProgress]
 * @property {(error: Error) => void} [onWarning]
 * @property {boolean} [cache]
 */

export class LocalShelf {
  /** @type {Engine | undefined} */
  #engine;
  #manifest;
  #source;
  #store;
  #onProgress;
  /** Shards on their way, by number. @type {Map<number, Promise<void>>} */
  #loading = new Map();
  #attached = new Set();
  /** Bytes by file: what of it is here, and whether it was stored. */
  #progress = new Map();
  #queue = Promise.resolve();
  #running = 0;
  /** @type {(() => void)[]} */
  #waiting = [];
  #abort = new AbortController();

  /**
   * @param {Engine} engine
   * @param {any} manifest
   * @param {import("./source.js").Source} source
   * @param {Store | undefined} store
   * @param {OpenOptions} options
   */
  constructor(engine, manifest, source, store, { onProgress }) {
    this.#engine = engine;
    this.#manifest = manifest;
    this.#source = source;
    this.#store = store;
    this.#onProgress = onProgress;
  }

  /**
   * @param {import("./source.js").Source} source
   * @param {OpenOptions} options
   * @param {() => Promise<any>} locateWasm
   */
  static async open(source, options, locateWasm) {
    const { signal, onWarning = (error) => console.warn(error), cache = false } = options;
    if (signal?.aborted) throw abortReason(signal);
    const store = cache && source.base ? await Store.open(source.base, onWarning) : undefined;
    // Both are needed and neither needs the other.
    const [bytes] = await Promise.all([manifestBytes(source, store, signal), init(locateWasm)]);
    if (signal?.aborted) throw abortReason(signal);
    let engine;
    let shelf;
    acquire();
    try {
      engine = new Engine(bytes);
      const manifest = JSON.parse(engine.manifest());
      shelf = new LocalShelf(engine, manifest, source, store, options);
      await shelf.#loadEncoder(signal);
      store?.keep(MANIFEST, bytes);
      const names = [MANIFEST, ...[...manifest.encoder, ...manifest.shards.map((/** @type {any} */ s) => s.file)].map((f) => f.name)];
      store?.keepOnly(new Set(names));
      return shelf;
    } catch (error) {
      if (shelf) shelf.dispose();
      else {
        engine?.free();
        release();
      }
      throw fromEngine(error);
    }
  }

  /** What does not change: sizes, fields, the build of the module. */
  get about() {
    const { items, dims, fields, idField, textFields, builtBy, shards } = this.#manifest;
    return { items, dims, fields, idField, textFields, builtBy, shards: shards.length, build: isa() };
  }

  /** @param {AbortSignal} [signal] */
  async #loadEncoder(signal) {
    const engine = this.#open();
    const stop = () => this.#abort.abort(signal && abortReason(signal));
    signal?.addEventListener("abort", stop, { once: true });
    try {
      await Promise.all(
        this.#manifest.encoder.map(async (/** @type {any} */ file) => {
          const bytes = await this.#download(file);
          this.#open().attach(file.name, bytes);
        }),
      );
    } catch (error) {
      // What else is on its way is not needed any more.
      this.#abort.abort();
      throw error;
    } finally {
      signal?.removeEventListener("abort", stop);
    }
    engine.loadEncoder();
  }

  /** @param {any} file */
  #download(file) {
    const progress = (/** @type {number} */ loaded, /** @type {boolean} */ stored) => {
      const before = this.#progress.get(file.name)?.stored ?? 0;
      this.#progress.set(file.name, { loaded, stored: stored ? loaded : before, total: file.bytes });
      if (!this.#onProgress) return;
      const sum = { file: file.name, loaded: 0, total: 0, stored: 0 };
      for (const one of this.#progress.values()) {
        sum.loaded += one.loaded;
        sum.total += one.total;
        sum.stored += one.stored;
      }
      this.#onProgress(sum);
    };
    this.#progress.set(file.name, { loaded: 0, stored: 0, total: file.bytes });
    const { signal } = this.#abort;
    return download(file, { source: this.#source, store: this.#store, signal, sha256, progress });
  }

  /** @returns {Engine} */
  #open() {
    if (!this.#engine) throw failure("disposed", "The shelf was disposed of.");
    return this.#engine;
  }

  /** A shard that is here, or on its way. @param {number} number */
  #shard(number) {
    if (this.#attached.has(number)) return Promise.resolve();
    const before = this.#loading.get(number);
    if (before) return before;
    const { file } = this.#manifest.shards[number];
    const loading = this.#turn(async () => {
      const bytes = await this.#download(file);
      this.#open().attach(file.name, bytes);
      this.#attached.add(number);
    }).finally(() => this.#loading.delete(number));
    // Whoever waits sees the error; where nobody does, the next search tries again.
    loading.catch(() => {});
    this.#loading.set(number, loading);
    return loading;
  }

  /** Runs a few at a time, in the order in which they came. @template T @param {() => Promise<T>} run */
  async #turn(run) {
    if (this.#running >= PARALLEL) await new Promise((resolve) => this.#waiting.push(() => resolve(undefined)));
    this.#running += 1;
    try {
      return await run();
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }

  /**
   * One after the other, so that answers come in the order of their questions.
   * @template T
   * @param {AbortSignal | undefined} signal
   * @param {() => Promise<T>} run
   * @returns {Promise<T>}
   */
  #inTurn(signal, run) {
    const result = this.#queue.then(async () => {
      if (signal?.aborted) throw abortReason(signal);
      try {
        return await run();
      } catch (error) {
        throw fromEngine(error);
      }
    });
    this.#queue = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  /** @param {string} text @param {any} [options] */
  search(text, options = {}) {
    return this.#inTurn(options.signal, async () => {
      if (typeof text !== "string") throw failure("query", `search: expected a string, found ${typeof text}.`);
      check(options);
      const engine = this.#open();
      if (text.trim() === "") {
        const shards = { searched: 0, missing: 0 };
        return Hits.of_({ hits: [], partial: false, tokens: 0, truncated: false, shards, ms: { encode: 0, search: 0 } });
      }
      const start = performance.now();
      const encoded = engine.encode(text);
      const { values, tokens, truncated } = encoded;
      encoded.free();
      return this.#answer(values, options, { tokens, truncated }, performance.now() - start);
    });
  }

  /** @param {Float32Array} vector @param {any} [options] */
  searchVector(vector, options = {}) {
    return this.#inTurn(options.signal, async () => {
      if (!(vector instanceof Float32Array) && !Array.isArray(vector)) {
        throw failure("query", "searchVector: expected a Float32Array.");
      }
      check(options);
      return this.#answer(Float32Array.from(vector), options, { tokens: 0, truncated: false }, 0);
    });
  }

  /**
   * @param {Float32Array} vector
   * @param {{ k?: number, probe?: number, ef?: number, signal?: AbortSignal, partial?: boolean, onPartial?: (hits: Hits) => void }} options
   * @param {{ tokens: number, truncated: boolean }} query
   * @param {number} encode
   */
  async #answer(vector, { k = 10, probe, ef, signal, partial = false, onPartial }, query, encode) {
    const search = () => {
      const start = performance.now();
      const { hits, probed, missing } = JSON.parse(this.#open().search(vector, k, probe, ef));
      const ms = { encode, search: performance.now() - start };
      return Hits.of_({ hits, partial: missing > 0, ...query, shards: { searched: probed, missing }, ms });
    };
    // A vector that fits no shelf is an error before anything is fetched for it.
    let hits = search();
    while (k > 0) {
      const missing = [...this.#open().missing(vector, k, probe)];
      if (missing.length === 0) break;
      const loading = missing.map((number) => this.#shard(number));
      if (partial && hits.length > 0) return hits;
      await abortable(signal, partial || onPartial ? Promise.race(loading) : Promise.all(loading).then(() => undefined));
      hits = search();
      if (hits.partial) onPartial?.(hits);
    }
    return hits;
  }

  /** The unit vector of a text. @param {string} text @param {{ signal?: AbortSignal }} [options] */
  encode(text, { signal } = {}) {
    return this.#inTurn(signal, async () => {
      if (typeof text !== "string") throw failure("query", `encode: expected a string, found ${typeof text}.`);
      const encoded = this.#open().encode(text);
      const { values } = encoded;
      encoded.free();
      return values;
    });
  }

  /** Downloads every shard, so that all queries are answered without a connection. @param {{ signal?: AbortSignal }} [options] */
  async load({ signal } = {}) {
    this.#open();
    const all = this.#manifest.shards.map((/** @type {any} */ _, /** @type {number} */ number) => this.#shard(number));
    try {
      await abortable(signal, Promise.all(all));
    } catch (error) {
      throw fromEngine(error);
    }
    await this.#store?.settled();
  }

  dispose() {
    if (!this.#engine) return;
    this.#abort.abort();
    this.#engine.free();
    this.#engine = undefined;
    release();
  }

  /** What it takes now. */
  async stats() {
    this.#open();
    return { memory: memoryBytes(), shards: this.#attached.size };
  }
}

/** @param {any} options */
function check({ k, probe, ef }) {
  for (const [name, value] of Object.entries({ k, probe, ef })) {
    if (value !== undefined && !(Number.isInteger(value) && value >= 0 && value < 2 ** 32)) {
      throw failure("options", `${name}: expected a whole number, found ${value}.`);
    }
  }
}

/** The manifest from the network or, where that cannot be reached, as it was at the last visit. */
async function manifestBytes(
  /** @type {import("./source.js").Source} */ source,
  /** @type {Store | undefined} */ store,
  /** @type {AbortSignal | undefined} */ signal,
) {
  try {
    return await downloadManifest({ source, signal });
  } catch (error) {
    const stored = /** @type {any} */ (error)?.code === "network" && (await store?.get(MANIFEST));
    if (stored) return stored;
    throw error;
  }
}

/** @template T @param {AbortSignal | undefined} signal @param {Promise<T>} promise @returns {Promise<T>} */
function abortable(signal, promise) {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(abortReason(signal));
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/** @param {Uint8Array} bytes */
async function sha256(bytes) {
  const subtle = globalThis.crypto?.subtle;
  // Pages of plain http have no WebCrypto.
  if (!subtle) return engineSha256(bytes);
  const digest = new Uint8Array(await subtle.digest("SHA-256", /** @type {any} */ (bytes)));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
