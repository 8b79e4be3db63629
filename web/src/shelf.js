// A shelf in this thread: fetches what a query needs and gives it to the wasm module.

import { download, downloadManifest, hex } from "./download.js";
import { abortReason, call, failure, fromEngine } from "./failure.js";
import { Hits } from "./hits.js";
import { searching } from "./options.js";
import { MANIFEST } from "./source.js";
import { Store } from "./store.js";
import { Turns, abortable } from "./turns.js";
import { network } from "./wasm.js";

/** Seconds after which the server is asked for another manifest, where nobody says otherwise. */
const REVALIDATE_S = 300;

/** Shards that are downloaded at the same time. */
const PARALLEL = 3;

/**
 * @typedef {object} OpenOptions
 * @property {AbortSignal} [signal]
 * @property {(progress: { file: string, loaded: number, total: number, stored: number }) => void} [onProgress]
 * @property {(error: Error) => void} [onWarning]
 * @property {() => void} [onUpdate]
 * @property {number} [revalidate]
 * @property {boolean} [cache]
 * @property {{ manifest?: number, stall?: number }} [timeout]
 */
/**
 * @typedef {object} Modules the wasm modules of a platform
 * @property {(kind: "network" | "onnx") => any} locate gives a module, an address, bytes or a Response
 * @property {() => import("./wasm.js").Runtime | Promise<import("./wasm.js").Runtime>} onnx the one that reads ONNX
 */

/** Bytes by file: what of it is here, and whether it was stored. */
class Progress {
  /** @type {Map<string, { loaded: number, stored: number, total: number }>} */
  #files = new Map();
  #tell;

  /** @param {OpenOptions["onProgress"]} tell */
  constructor(tell) {
    this.#tell = tell;
  }

  /** @param {{ name: string, bytes: number }} file */
  of = (file) => {
    this.#files.set(file.name, { loaded: 0, stored: 0, total: file.bytes });
    return (/** @type {number} */ loaded, /** @type {boolean} */ stored) => {
      const before = this.#files.get(file.name)?.stored ?? 0;
      this.#files.set(file.name, { loaded, stored: stored ? loaded : before, total: file.bytes });
      if (!this.#tell) return;
      const sum = { file: file.name, loaded: 0, total: 0, stored: 0 };
      for (const one of this.#files.values()) {
        sum.loaded += one.loaded;
        sum.total += one.total;
        sum.stored += one.stored;
      }
      call(this.#tell, sum);
    };
  };
}

/** A query that no encoder has read. */
const UNENCODED = { tokens: 0, truncated: false, unknown: 0 };

export class LocalShelf {
  #state;
  #reopen;
  #turns = new Turns();

  /**
   * @param {State} state
   * @param {(signal?: AbortSignal, before?: State) => Promise<State>} reopen
   */
  constructor(state, reopen) {
    this.#state = state;
    this.#reopen = reopen;
  }

  /**
   * @param {import("./source.js").Source} source
   * @param {OpenOptions} options
   * @param {Modules} modules
   */
  static async open(source, options, modules) {
    const reopen = (/** @type {AbortSignal | undefined} */ signal, /** @type {State | undefined} */ before = undefined) =>
      State.open(source, { ...options, signal }, modules, before);
    return new LocalShelf(await reopen(options.signal), reopen);
  }

  /** The parts that do not change while the shelf is open: sizes, fields, the build of the module. */
  get about() {
    return this.#state.about;
  }

  /** Takes the shelf as it is on the server now. @param {{ signal?: AbortSignal }} [options] */
  async refresh(options) {
    const { signal } = searching(options);
    const before = this.#state;
    before.open();
    const next = await this.#reopen(signal, before);
    if (before !== this.#state) {
      // Another call was faster.
      next.dispose();
      return this.#state.about;
    }
    next.takeNews(before);
    this.#state = next;
    // Searches that are on their way end with what they began with.
    before.retire();
    return next.about;
  }

  /**
   * Lays news of items over the shelf, above its files: live prices and stock.
   * @param {Record<string, Record<string, any> | null>} news
   */
  async overlay(news) {
    if (typeof news !== "object" || news === null) throw failure("query", `overlay: expected an object, found ${JSON.stringify(news)}.`);
    const state = this.#state;
    return state.use(() => this.#turns.take(undefined, () => state.overlay(news)));
  }

  /** @param {string} text @param {any} [options] */
  async search(text, options) {
    const settings = searching(options);
    if (typeof text !== "string") throw failure("query", `search: expected a string, found ${typeof text}.`);
    return this.#ask({ text }, settings);
  }

  /** @param {Float32Array} vector @param {any} [options] */
  async searchVector(vector, options) {
    const settings = searching(options);
    if (!(vector instanceof Float32Array) && !Array.isArray(vector)) {
      throw failure("query", "searchVector: expected a Float32Array.");
    }
    return this.#ask({}, settings, Float32Array.from(vector));
  }

  /** @param {string} id @param {any} [options] */
  async similar(id, options) {
    const settings = searching(options);
    if (typeof id !== "string") throw failure("query", `similar: expected an id, found ${typeof id}.`);
    return this.#ask({ similar: id }, settings);
  }

  /** @param {any} asked */
  async recommend(asked) {
    const { like = [], unlike = [], weights = [], text, ...settings } = searching(asked);
    const isList = (/** @type {any} */ list, /** @type {string} */ type) => Array.isArray(list) && list.every((one) => typeof one === type);
    for (const [name, list, type] of /** @type {const} */ ([["like", like, "string"], ["unlike", unlike, "string"], ["weights", weights, "number"]])) {
      if (!isList(list, type)) throw failure("query", `recommend, ${name}: expected a list of ${type}s, found ${JSON.stringify(list)}.`);
    }
    if (text !== undefined && typeof text !== "string") throw failure("query", `recommend, text: expected a string, found ${typeof text}.`);
    return this.#ask({ like, unlike, weights, text }, settings);
  }

  /** The item with an id; undefined where there is none. @param {string} id @param {{ signal?: AbortSignal }} [options] */
  async get(id, options) {
    const { signal } = searching(options);
    if (typeof id !== "string") throw failure("query", `get: expected an id, found ${typeof id}.`);
    const state = this.#state;
    return state.use(async () => {
      await this.#locate(state, [id], signal);
      const found = state.open().get(id);
      return found && JSON.parse(found);
    });
  }

  /**
   * @param {{ text?: string, similar?: string, like?: string[], unlike?: string[], weights?: number[] }} query
   * @param {any} options
   * @param {Float32Array} [given] instead of a text's
   */
  async #ask(query, { signal, ...settings }, given) {
    const state = this.#state;
    state.revalidate();
    return state.use(async () => {
      const { similar, like = [], unlike = [] } = query;
      await this.#locate(state, [...(similar === undefined ? [] : [similar]), ...like, ...unlike], signal);
      const encoded = await this.#turns.take(signal, () => {
        const engine = state.open();
        if (!query.text?.trim() || settings.mode === "words") return { values: given, read: UNENCODED, ms: 0 };
        const start = performance.now();
        const vector = engine.encodeQuery(query.text, JSON.stringify(settings));
        const { values, tokens, truncated, unknown } = vector;
        vector.free();
        // Every text begins and ends with a token of its own.
        const share = tokens > 2 ? unknown / (tokens - 2) : 0;
        return { values, read: { tokens, truncated, unknown: share }, ms: performance.now() - start };
      });
      return this.#answer(state, { query: JSON.stringify(query), vector: encoded.values }, { signal, ...settings }, encoded.read, encoded.ms);
    });
  }

  /** Downloads shards until all of these items are here, or all shards. @param {State} state @param {string[]} ids @param {AbortSignal} [signal] */
  async #locate(state, ids, signal) {
    const isHere = (/** @type {string} */ id) => state.open().has(id);
    for (const number of state.numbers) {
      if (ids.every(isHere)) return;
      await abortable(signal, state.shard(number));
    }
  }

  /**
   * @param {State} state
   * @param {{ query: string, vector?: Float32Array }} asked
   * @param {any} options
   * @param {{ tokens: number, truncated: boolean, unknown: number }} read
   * @param {number} encode
   */
  async #answer(state, { query, vector }, { signal, partial = false, onPartial, ...settings }, read, encode) {
    const options = JSON.stringify(settings);
    const search = () =>
      this.#turns.take(signal, () => {
        const start = performance.now();
        const { probed, missing, facets, ...answer } = JSON.parse(state.open().search(query, vector, options));
        const ms = { encode, search: performance.now() - start };
        const shards = { searched: probed, missing };
        const byField = Object.fromEntries(facets.map((/** @type {any} */ { field, ...counts }) => [field, counts]));
        return Hits.of_({ ...answer, facets: byField, partial: missing > 0, ...read, shards, ms });
      });
    // A query that fits no shelf is an error before anything is fetched for it.
    let hits = await search();
    /** Shards that cannot be had now. @type {Map<number, any>} */
    const failed = new Map();
    // With all shards here nothing can be missing, and the query need not be read again to know.
    while (settings.k !== 0 && !state.isWhole) {
      const missing = [...state.open().missing(query, vector, options)].filter((number) => !failed.has(number));
      if (missing.length === 0) break;
      const loading = missing.map((number) => state.shard(number).catch((error) => void failed.set(number, error)));
      if (partial && hits.length > 0) return hits;
      await abortable(signal, partial || onPartial ? Promise.race(loading) : Promise.all(loading).then(() => undefined));
      hits = await search();
      if (hits.partial) call(onPartial, hits);
    }
    if (failed.size > 0) {
      const [error] = failed.values();
      const told = await state.explain(error);
      if (hits.length === 0) throw told;
      state.warn(told);
    }
    return hits;
  }

  /** The likeliest completions of a text. @param {string} text @param {{ k?: number, signal?: AbortSignal }} [options] */
  async suggest(text, options) {
    const { k = 5, signal } = searching(options);
    if (typeof text !== "string") throw failure("query", `suggest: expected a string, found ${typeof text}.`);
    const state = this.#state;
    return state.use(() => this.#turns.take(signal, () => JSON.parse(state.open().suggest(text, k))));
  }

  /** The unit vector of a text. @param {string} text @param {{ signal?: AbortSignal }} [options] */
  async encode(text, options) {
    const { signal } = searching(options);
    if (typeof text !== "string") throw failure("query", `encode: expected a string, found ${typeof text}.`);
    const state = this.#state;
    return state.use(() =>
      this.#turns.take(signal, () => {
        const encoded = state.open().encode(text);
        const { values } = encoded;
        encoded.free();
        return values;
      }),
    );
  }

  /** Downloads every shard, so that all queries are answered without a connection. @param {{ signal?: AbortSignal }} [options] */
  async load(options) {
    const { signal } = searching(options);
    const state = this.#state;
    return state.use(() => abortable(signal, state.load()));
  }

  dispose() {
    this.#state.dispose();
  }

  /** Memory and downloads at this moment. */
  async stats() {
    return this.#state.stats();
  }
}

/** A shelf as one manifest describes it: the module's part of it, and the downloads. */
class State {
  #runtime;
  #engine;
  #manifest;
  #bytes;
  #source;
  #store;
  #options;
  #progress;
  /** Shards on their way, by number. @type {Map<number, Promise<void>>} */
  #loading = new Map();
  #attached = new Set();
  #running = 0;
  /** @type {(() => void)[]} */
  #waiting = [];
  #abort = new AbortController();
  #users = 0;
  #retired = false;
  #asked = performance.now();
  #isNews = false;
  /** News that were laid over, by id, for the shelf that comes next. @type {Record<string, Record<string, any> | null>} */
  #news = {};

  /** @param {any} parts */
  constructor({ runtime, engine, manifest, bytes, source, store, options, progress }) {
    this.#runtime = runtime;
    this.#engine = engine;
    this.#manifest = manifest;
    this.#bytes = bytes;
    this.#source = source;
    this.#store = store;
    this.#options = options;
    this.#progress = progress;
  }

  /**
   * @param {import("./source.js").Source} source
   * @param {OpenOptions} options
   * @param {Modules} modules
   * @param {State} [before] a shelf whose files need not come again
   */
  static async open(source, options, modules, before) {
    const { signal, onWarning = (error) => console.warn(error), cache = false, timeout = {} } = options;
    if (signal?.aborted) throw abortReason(signal);
    const said = new Set();
    const warn = (/** @type {any} */ error) => {
      // The module and the shelf have a store each; what is wrong with both is said once.
      if (error.name === "StorageError" && said.has(error.code)) return;
      said.add(error.code);
      call(onWarning, error);
    };
    const store = cache && source.base ? await Store.open(source.base, warn) : undefined;
    const progress = new Progress(options.onProgress);
    const loading = { cache, signal, stall: timeout.stall, warn, progress: progress.of };
    // Both are needed and neither needs the other.
    const [bytes] = await Promise.all([
      manifestBytes(source, store, signal, timeout.manifest, warn),
      network.start(() => modules.locate("network"), loading),
    ]);
    if (signal?.aborted) throw abortReason(signal);
    let runtime = network;
    let state;
    let engine;
    runtime.acquire();
    try {
      engine = new runtime.glue.Shelf(bytes);
      const manifest = JSON.parse(engine.manifest());
      if (manifest.onnx) {
        const onnx = await modules.onnx();
        await onnx.start(() => modules.locate("onnx"), loading);
        engine.free();
        runtime.release();
        runtime = onnx;
        runtime.acquire();
        engine = new runtime.glue.Shelf(bytes);
      }
      // Files lie in the memory of a module: only a shelf of the same one has them.
      if (before && before.#runtime === runtime) engine.share(before.open());
      state = new State({ runtime, engine, manifest, bytes, source, store, options: { ...options, onWarning: warn }, progress });
      await state.#loadShared(signal);
      await state.#keepManifest();
      return state;
    } catch (error) {
      if (state) state.dispose();
      else {
        engine?.free();
        runtime.release();
      }
      throw state ? await state.explain(error) : fromEngine(error);
    }
  }

  get about() {
    const { dims, fields, idField, textFields, builtBy, shards } = this.#manifest;
    const build = this.#runtime.glue.isa();
    return { items: this.open().total(), dims, fields, idField, textFields, builtBy, shards: shards.length, build };
  }

  async #keepManifest() {
    const files = [...this.#shared, ...this.#manifest.shards.map((/** @type {any} */ shard) => shard.file)];
    await this.#store?.put(MANIFEST, this.#bytes);
    await this.#store?.keepOnly(new Set([MANIFEST, ...files.map(({ name }) => name)]));
  }

  /** The files that every query needs: words, encoder, and what has changed since the build. */
  get #shared() {
    const { encoder, words, addedWords, changes } = this.#manifest;
    return [...(words ? [words] : []), ...(addedWords ? [addedWords] : []), ...changes, ...encoder];
  }

  /** @param {AbortSignal} [signal] */
  async #loadShared(signal) {
    const stop = () => this.#abort.abort(signal && abortReason(signal));
    signal?.addEventListener("abort", stop, { once: true });
    try {
      const files = this.#shared.filter(({ name }) => !this.open().hasFile(name));
      await Promise.all(files.map((file) => this.#fetch(file)));
      // In their order: words are added to words, and a change stands above the one before it.
      for (const { name } of files) this.open().attachReserved(name);
      for (const number of this.numbers) {
        if (this.open().hasFile(this.#manifest.shards[number].file.name)) this.#attached.add(number);
      }
    } catch (error) {
      // What else is on its way is not needed any more.
      this.#abort.abort();
      throw error;
    } finally {
      signal?.removeEventListener("abort", stop);
    }
    this.open().loadEncoder();
  }

  /** Downloads a file into the room for it in the module's memory. @param {any} file */
  async #fetch(file) {
    const { signal } = this.#abort;
    const { glue } = this.#runtime;
    this.open().reserve(file.name, file.bytes);
    const sink = {
      write: (/** @type {number} */ offset, /** @type {Uint8Array} */ bytes) => view().set(bytes, offset),
      bytes: () => view(),
    };
    // Looked up each time: the memory moves when it grows.
    const view = () => new Uint8Array(glue.moduleMemory().buffer, this.open().reserved(file.name), file.bytes);
    const progress = this.#progress.of(file);
    const { stall } = this.#options.timeout ?? {};
    try {
      await download(file, { source: this.#source, store: this.#store, signal, stall, sha256: (bytes) => sha256(bytes, glue), progress }, sink);
    } catch (error) {
      this.#engine?.discard(file.name);
      throw fromEngine(error);
    }
  }

  /** The module's part of the shelf. @returns {any} */
  open() {
    if (!this.#engine) throw failure("disposed", "The shelf was disposed of.");
    return this.#engine;
  }

  /** Runs a search, during which a shelf that is replaced stays. @template T @param {() => Promise<T>} work @returns {Promise<T>} */
  async use(work) {
    this.#users += 1;
    try {
      return await work();
    } catch (error) {
      throw fromEngine(error);
    } finally {
      this.#users -= 1;
      if (this.#retired && this.#users === 0) this.dispose();
    }
  }

  /** Lets go of it when the last search ends. */
  retire() {
    this.#retired = true;
    if (this.#users === 0) this.dispose();
  }

  /** Numbers of all shards. */
  get numbers() {
    return this.#manifest.shards.keys();
  }

  /** Whether all shards are here. */
  get isWhole() {
    return this.#attached.size === this.#manifest.shards.length;
  }

  /** A shard that is here, or on its way. @param {number} number @returns {Promise<void>} */
  shard(number) {
    if (this.#attached.has(number)) return Promise.resolve();
    const before = this.#loading.get(number);
    if (before) return before;
    const { file } = this.#manifest.shards[number];
    const loading = this.#turn(async () => {
      await this.#fetch(file);
      this.open().attachReserved(file.name);
      this.#attached.add(number);
    }).finally(() => this.#loading.delete(number));
    // Whoever waits sees the error; where nobody does, the next search tries again.
    loading.catch(() => {});
    this.#loading.set(number, loading);
    return loading;
  }

  async load() {
    this.open();
    const numbers = this.#manifest.shards.keys();
    try {
      await Promise.all(Array.from(numbers, (number) => this.shard(number)));
    } catch (error) {
      throw await this.explain(error);
    }
    await this.#store?.settled();
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

  /** Why a file could not be had: where the server has another shelf by now, that. @param {any} error */
  async explain(error) {
    const gone = error?.code === "http" && (error.status === 404 || error.status === 410);
    if (!gone) return fromEngine(error);
    try {
      const now = await downloadManifest({ source: this.#source, timeout: this.#options.timeout?.manifest });
      if (this.#isManifest(now)) return error;
    } catch {
      return error;
    }
    const { url, status } = error;
    return failure("stale", `${url}: status ${status}; the server's manifest is another one now.`, { url, status, cause: error });
  }

  /** @param {Record<string, Record<string, any> | null>} news */
  overlay(news) {
    this.open().overlay(JSON.stringify(news));
    for (const [id, values] of Object.entries(news)) {
      const before = this.#news[id];
      // What is gone is gone.
      this.#news[id] = before === null || values === null ? null : { ...before, ...values };
    }
  }

  /** Lays the news of the shelf before over this one: those of fields that both have. @param {State} before */
  takeNews(before) {
    const name = (/** @type {any} */ field) => `${field.kind} ${field.name}`;
    const both = before.#manifest.fields.filter((/** @type {any} */ field) => this.#manifest.fields.some((/** @type {any} */ own) => name(own) === name(field)));
    const known = new Set(both.map((/** @type {any} */ field) => field.name));
    const carried = Object.entries(before.#news).map(([id, values]) => {
      const kept = values && Object.fromEntries(Object.entries(values).filter(([field]) => known.has(field)));
      return [id, kept];
    });
    this.overlay(Object.fromEntries(carried));
  }

  /** Asks the server, once in a while and beside what is asked of the shelf, whether it has another one. */
  revalidate() {
    const { onUpdate, revalidate = REVALIDATE_S, timeout } = this.#options;
    const now = performance.now();
    if (!onUpdate || this.#isNews || now - this.#asked < 1000 * revalidate) return;
    this.#asked = now;
    downloadManifest({ source: this.#source, timeout: timeout?.manifest, signal: this.#abort.signal })
      .then((bytes) => {
        if (this.#retired || this.#isNews || this.#isManifest(bytes)) return;
        this.#isNews = true;
        call(onUpdate);
      })
      // Without a connection the shelf is what it is; the next time will do.
      .catch(() => {});
  }

  /** @param {Uint8Array} bytes */
  #isManifest(bytes) {
    return bytes.length === this.#bytes.length && bytes.every((byte, i) => byte === this.#bytes[i]);
  }

  /** @param {Error} error */
  warn(error) {
    this.#options.onWarning(error);
  }

  dispose() {
    if (!this.#engine) return;
    this.#abort.abort();
    this.#engine.free();
    this.#engine = undefined;
    this.#runtime.release();
  }

  stats() {
    this.open();
    return { memory: this.#runtime.glue.memoryBytes(), shards: this.#attached.size };
  }
}

/** The manifest from the network or, where that gives none, as it was at the last visit. */
async function manifestBytes(
  /** @type {import("./source.js").Source} */ source,
  /** @type {Store | undefined} */ store,
  /** @type {AbortSignal | undefined} */ signal,
  /** @type {number | undefined} */ timeout,
  /** @type {(error: Error) => void} */ warn,
) {
  try {
    return await downloadManifest({ source, signal, timeout });
  } catch (/** @type {any} */ error) {
    const passing = ["network", "timeout", "http", "not-a-shelf"].includes(error?.code);
    const stored = passing && (await store?.get(MANIFEST));
    if (!stored) throw error;
    const { url, status } = error;
    warn(failure("kept", `${url}: ${error.code}${status ? ` ${status}` : ""}.`, { url, status, cause: error }));
    return stored;
  }
}

/** @param {Uint8Array} bytes @param {any} glue */
async function sha256(bytes, glue) {
  const subtle = globalThis.crypto?.subtle;
  // Pages of plain http have no WebCrypto. A copy, as the module's memory may move when it is given bytes.
  if (!subtle) return glue.sha256(bytes.slice());
  return hex(new Uint8Array(await subtle.digest("SHA-256", /** @type {any} */ (bytes))));
}
