// A shelf as one manifest describes it: its files on their way into the wasm module.

import { askAhead } from "./ahead.js";
import { download, downloadManifest, hex, memory } from "./download.js";
import { abortReason, call, failure, fromEngine } from "./failure.js";
import { canUnpack, unpack } from "./front.js";
import { Progress } from "./progress.js";
import { MANIFEST } from "./source.js";
import { Store } from "./store.js";
import { network } from "./wasm.js";

/** Seconds after which the server is asked for another manifest, where nobody says otherwise. */
const REVALIDATE_S = 300;

/** Shards that are downloaded at the same time. */
const PARALLEL = 3;

/** Bytes of the fronts of all shards up to which they are fetched as soon as the manifest is here. */
const FRONTS_AHEAD = 1 << 20;

/** Milliseconds that the encoder leaves the line to the first searches. */
const HEADSTART_MS = 50;

/** Milliseconds after which an encoder that could not be had is asked for again by searches that do without. */
const RETRY_MS = 10_000;

/** Milliseconds after which work that an edge function was to finish behind an answer is taken for lost. */
const LOST_MS = 30_000;

/**
 * @typedef {object} OpenOptions
 * @property {AbortSignal} [signal]
 * @property {(progress: { file: string, loaded: number, total: number, stored: number }) => void} [onProgress]
 * @property {(error: Error) => void} [onWarning]
 * @property {() => void} [onUpdate]
 * @property {number} [revalidate]
 * @property {boolean} [cache]
 * @property {"eager" | "lazy" | "none"} [encoder]
 * @property {boolean} [background] whether an eager encoder may come after the shelf is open
 * @property {(promise: Promise<unknown>) => void} [waitUntil]
 * @property {{ manifest?: number, stall?: number }} [timeout]
 */
/**
 * @typedef {object} Modules the wasm modules of a platform
 * @property {(kind: "network" | "onnx") => any} locate gives a module, an address, bytes or a Response
 * @property {() => import("./wasm.js").Runtime | Promise<import("./wasm.js").Runtime>} onnx the one that reads ONNX
 */

/** A shelf as one manifest describes it: the module's part of it, and the downloads. */
export class State {
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
  /** Fronts on their way. @type {Map<number, Promise<void>>} */
  #comingFronts = new Map();
  /** Fronts that are here, of shards that are not. @type {Map<number, Uint8Array>} */
  #fronts = new Map();
  /** Shards whose fronts cannot be had. */
  #frontless = new Set();
  /** The encoder on its way. @type {Promise<void> | undefined} */
  #comingEncoder;
  #hasEncoder = false;
  #isStaged = false;
  #failed = -Infinity;
  /** All that meanings need, on its way. @type {Promise<void> | undefined} */
  #completing;
  #began = -Infinity;
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
    const isPage = canUnpack && Boolean(options.background) && !before;
    let files = source;
    const readManifest = async () => {
      const bytes = await manifestBytes(source, store, signal, timeout.manifest, warn);
      if (isPage) files = askAhead(source, bytes, store, signal);
      return bytes;
    };
    // Both are needed and neither needs the other.
    const [bytes] = await Promise.all([
      readManifest(),
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
      state = new State({ runtime, engine, manifest, bytes, source: files, store, options: { ...options, onWarning: warn }, progress });
      await state.#loadShared(signal);
      await state.#keepManifest();
      if (state.isStaged && state.#kind === "eager") state.complete();
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
    const { encoder, shards } = this.#manifest;
    const parts = shards.flatMap((/** @type {any} */ { file, front }) => (front ? [file, front.file] : [file]));
    const files = [...this.#shared, ...encoder, ...parts];
    await this.#store?.put(MANIFEST, this.#bytes);
    await this.#store?.keepOnly(new Set([MANIFEST, ...files.map(({ name }) => name)]));
  }

  /** The files that every query needs: words, and what has changed since the build. */
  get #shared() {
    const { words, addedWords, changes } = this.#manifest;
    return [...(words ? [words] : []), ...(addedWords ? [addedWords] : []), ...changes];
  }

  /** When the encoder comes. */
  get #kind() {
    return this.#options.encoder ?? "eager";
  }

  /** Whether texts are searched for by their words until all is here that their meaning needs. */
  get isStaged() {
    return this.#isStaged;
  }

  /** Whether texts are compared by their words. */
  get hasWords() {
    return Boolean(this.#manifest.words);
  }

  /** Whether texts have no meaning here. */
  get isWithoutEncoder() {
    return this.#kind === "none";
  }

  get hasEncoder() {
    return this.#hasEncoder;
  }

  /** Takes note of what came from the shelf before. */
  #takeShared() {
    for (const number of this.numbers) {
      if (this.open().hasFile(this.#manifest.shards[number].file.name)) this.#attached.add(number);
    }
    this.#hasEncoder = this.#manifest.encoder.every((/** @type {any} */ { name }) => this.open().hasFile(name));
    const { background, waitUntil } = this.#options;
    const comesLater = this.#kind === "lazy" || (this.#kind === "eager" && Boolean(background || waitUntil));
    this.#isStaged = this.hasWords && comesLater;
  }

  /** Whether fronts are fetched before a search asks for them: that of a single shard, which it will, or several small ones. */
  get #wantsFronts() {
    const { shards } = this.#manifest;
    const bytes = shards.map((/** @type {any} */ { front }) => front?.file.bytes ?? Infinity);
    const sum = bytes.reduce((/** @type {number} */ sum, /** @type {number} */ bytes) => sum + bytes, 0);
    return this.isStaged && (shards.length === 1 || sum <= FRONTS_AHEAD);
  }

  /** @param {AbortSignal} [signal] */
  async #loadShared(signal) {
    this.#takeShared();
    const stop = () => this.#abort.abort(signal && abortReason(signal));
    signal?.addEventListener("abort", stop, { once: true });
    try {
      if (this.#wantsFronts) for (const number of this.numbers) this.front(number).catch(() => {});
      const files = this.#shared.filter(({ name }) => !this.open().hasFile(name));
      await Promise.all(files.map((file) => this.#fetch(file)));
      // In their order: words are added to words, and a change stands above the one before it.
      for (const { name } of files) this.open().attachReserved(name);
      if (!this.isWithoutEncoder && !this.isStaged && this.#kind === "eager") await this.encoder();
    } catch (error) {
      // What else is on its way is not needed any more.
      this.#abort.abort();
      throw error;
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  /** The encoder, here or on its way. @returns {Promise<void>} */
  encoder() {
    if (this.#hasEncoder) return Promise.resolve();
    if (this.#comingEncoder) return this.#comingEncoder;
    const coming = this.#loadEncoder()
      .catch(async (error) => {
        this.#failed = performance.now();
        throw await this.explain(error);
      })
      .finally(() => {
        if (this.#comingEncoder === coming) this.#comingEncoder = undefined;
      });
    this.#comingEncoder = coming;
    return coming;
  }

  async #loadEncoder() {
    const files = this.#manifest.encoder.filter((/** @type {any} */ { name }) => !this.open().hasFile(name));
    await Promise.all(files.map((/** @type {any} */ file) => this.#fetch(file)));
    for (const { name } of files) this.open().attachReserved(name);
    this.open().loadEncoder();
    this.#hasEncoder = true;
  }

  /** Brings the encoder in the background, behind what words need; of a single shard the rest as well, as every query will read it. */
  complete() {
    const now = performance.now();
    if (this.#completing && this.#options.waitUntil && now - this.#began > LOST_MS) {
      this.#completing = undefined;
      this.#comingEncoder = undefined;
    }
    if (this.#completing || this.#hasEncoder || now - this.#failed < RETRY_MS) return;
    this.#began = now;
    const completing = this.#complete()
      .catch((error) => this.warnUnlessDisposed(error))
      .finally(() => {
        if (this.#completing === completing) this.#completing = undefined;
      });
    this.#completing = completing;
    this.behind(completing);
  }

  /** The work that {@link complete} began, until it ends; it does not fail. */
  get completing() {
    return this.#completing;
  }

  async #complete() {
    await new Promise((resolve) => setTimeout(resolve, HEADSTART_MS));
    await Promise.all(this.#comingFronts.values());
    await this.encoder();
    // A search tells of a shard that cannot be had.
    if (this.#manifest.shards.length === 1) await this.shard(0).catch(() => {});
  }

  /** Work that goes on when a call was answered: where the platform ends with the answer, it is told. @param {Promise<unknown>} work */
  behind(work) {
    this.#options.waitUntil?.(work);
  }

  /**
   * Downloads a file into the room for it in the module's memory.
   * @param {any} file
   * @param {Uint8Array} [first] bytes of it that are here
   */
  async #fetch(file, first) {
    const { glue } = this.#runtime;
    this.open().reserve(file.name, file.bytes);
    const sink = {
      write: (/** @type {number} */ offset, /** @type {Uint8Array} */ bytes) => view().set(bytes, offset),
      bytes: () => view(),
    };
    // Looked up each time: the memory moves when it grows.
    const view = () => new Uint8Array(glue.moduleMemory().buffer, this.open().reserved(file.name), file.bytes);
    if (first) sink.write(0, first);
    try {
      await download(file, this.#context(file), sink, first?.length);
    } catch (error) {
      this.#engine?.discard(file.name);
      throw fromEngine(error);
    }
  }

  /** The way in which a file is downloaded. @param {any} file @returns {import("./download.js").Context} */
  #context(file) {
    return {
      source: this.#source,
      store: this.#store,
      signal: this.#abort.signal,
      stall: this.#options.timeout?.stall,
      sha256: (bytes) => sha256(bytes, this.#runtime.glue),
      progress: this.#progress.of(file),
    };
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
    return once(this.#loading, number, async () => {
      await this.#comingFronts.get(number);
      await this.#turn(async () => {
        const { file } = this.#manifest.shards[number];
        await this.#fetch(file, this.#fronts.get(number));
        this.open().attachReserved(file.name);
        this.#attached.add(number);
        this.#fronts.delete(number);
      });
    });
  }

  /** The part of a shard that words need, here or on its way; all of it where it has no such part. @param {number} number @returns {Promise<void>} */
  front(number) {
    if (this.#attached.has(number) || this.#fronts.has(number)) return Promise.resolve();
    const { front } = this.#manifest.shards[number];
    if (!this.isInParts || !front || this.#frontless.has(number) || this.#loading.has(number)) return this.shard(number);
    const coming = once(this.#comingFronts, number, () => this.#turn(() => this.#fetchFront(number)));
    return coming.then(() => (this.#fronts.has(number) ? undefined : this.shard(number)));
  }

  /** @param {number} number */
  async #fetchFront(number) {
    const { file, front } = this.#manifest.shards[number];
    const sink = memory(front.file.bytes);
    try {
      await download(front.file, this.#context(front.file), sink);
      const first = await unpack(sink.bytes(), front);
      this.open().attachFront(file.name, first);
      this.#fronts.set(number, first);
    } catch (error) {
      if (this.#abort.signal.aborted) throw error;
      // A host may lack it: the shard has it as well.
      this.#frontless.add(number);
      const told = await this.explain(error);
      if (told.code !== "stale") this.warn(told);
    }
  }

  /** Whether shards come in parts: words first. */
  get isInParts() {
    return canUnpack && (this.isStaged || this.isWithoutEncoder);
  }

  /** Whether the part that words need of all shards is here. */
  get hasAllFronts() {
    return this.#attached.size + this.#fronts.size === this.#manifest.shards.length;
  }

  async loadShards() {
    await Promise.all(Array.from(this.numbers, (number) => this.shard(number)));
  }

  async load() {
    this.open();
    try {
      await Promise.all([this.isWithoutEncoder ? undefined : this.encoder(), this.loadShards()]);
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

  /** @param {any} error */
  warnUnlessDisposed(error) {
    if (this.#engine && !this.#abort.signal.aborted) this.warn(error);
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
    return { memory: this.#runtime.glue.memoryBytes(), shards: this.#attached.size, encoder: this.#hasEncoder };
  }
}

/**
 * Work by its number: begun once, and anew after it failed.
 * @param {Map<number, Promise<void>>} going
 * @param {number} number
 * @param {() => Promise<void>} work
 */
function once(going, number, work) {
  const before = going.get(number);
  if (before) return before;
  const begun = work().finally(() => going.delete(number));
  // Whoever waits sees the error; where nobody does, the next search tries again.
  begun.catch(() => {});
  going.set(number, begun);
  return begun;
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
