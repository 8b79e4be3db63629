// A shelf in this thread: asks the state for what a query needs, and the wasm module for its hits.

import { call, failure } from "./failure.js";
import { Hits } from "./hits.js";
import { searching } from "./options.js";
import { State } from "./state.js";
import { Turns, abortable } from "./turns.js";

/** @typedef {import("./state.js").OpenOptions} OpenOptions */
/** @typedef {import("./state.js").Modules} Modules */

/** @typedef {{ values?: Float32Array, tokens: number, truncated: boolean, unknown: number, ms: number }} Encoded a text's vector, and what was read for it */

/** The options of a search as the module reads them. @param {any} options */
const written = ({ signal, partial, onPartial, ...settings }) => JSON.stringify(settings);

/** Whether words and fields are all that a query reads: a text without a vector. @param {object} query @param {Float32Array} [vector] */
const readsFronts = (query, vector) => vector === undefined && Object.keys(query).every((part) => part === "text");

/** A query that no encoder has read. */
const UNENCODED = { tokens: 0, truncated: false, unknown: 0, ms: 0 };

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
    // What was all here stays so; a shard that cannot be had is missed by the searches that need it.
    if (before.isWhole) await abortable(signal, next.loadShards().catch(() => {}));
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
    await state.use(() => this.#turns.take(undefined, () => state.overlay(news)));
    return this.about;
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
      await this.#shardOf(state, id, signal);
      const found = state.open().get(id);
      return found && JSON.parse(found);
    });
  }

  /**
   * @param {{ text?: string, similar?: string, like?: string[], unlike?: string[], weights?: number[] }} query
   * @param {any} options `goesOn` is told of work that goes on behind the answer
   * @param {Float32Array} [given] instead of a text's
   */
  async #ask(query, { goesOn, ...options }, given) {
    const state = this.#state;
    state.revalidate();
    return state.use(async () => {
      const { similar, like = [], unlike = [] } = query;
      await this.#locate(state, [...(similar === undefined ? [] : [similar]), ...like, ...unlike], options.signal);
      const { mode } = options;
      const isText = Boolean(query.text?.trim());
      if (!isText || mode === "words") return this.#answer(state, query, options, given ? "meaning" : (mode ?? "hybrid"), { ...UNENCODED, values: given });
      if (state.isWithoutEncoder) {
        if (mode === "meaning") throw failure("query", 'mode "meaning": the shelf was opened without an encoder.');
        return this.#answer(state, query, options, "words", UNENCODED);
      }
      const isAlone = Object.keys(query).length === 1;
      if (mode !== undefined || !isAlone || !state.isStaged) {
        await abortable(options.signal, state.encoder());
        return this.#answerText(state, query, options);
      }
      const encoded = state.hasEncoder ? await this.#encode(state, query, options) : undefined;
      if (encoded && this.#missing(state, query, options, encoded.values).length === 0) return this.#answerText(state, query, options, encoded);
      state.complete();
      const byWords = await this.#answer(state, query, { ...options, mode: "words" }, "words", UNENCODED);
      const better = this.#better(state, query, options, encoded);
      goesOn?.(better);
      state.behind(better);
      return byWords;
    });
  }

  /**
   * Brings what a text's meaning needs behind an answer by words, and tells of better hits where somebody listens.
   * @param {State} state
   * @param {{ text?: string }} query
   * @param {any} options
   * @param {Encoded} [encoded]
   */
  async #better(state, query, options, encoded) {
    const { signal, onPartial } = options;
    const coming = encoded ? Promise.resolve() : state.completing;
    // Nobody waits, or the encoder could not be had a moment ago.
    if (!coming || !(encoded || onPartial)) return;
    try {
      await state.use(async () => {
        await abortable(signal, coming);
        if (!state.hasEncoder) return;
        const hits = await this.#answerText(state, query, options, encoded);
        if (!signal?.aborted) call(onPartial, hits);
      });
    } catch (error) {
      // The caller has an answer. That the encoder cannot be had was told.
      if (state.hasEncoder && !signal?.aborted) state.warnUnlessDisposed(error);
    }
  }

  /** Answers by the meaning of a text. @param {State} state @param {{ text?: string }} query @param {any} options @param {Encoded} [encoded] */
  async #answerText(state, query, options, encoded) {
    const stage = state.hasWords ? (options.mode ?? "hybrid") : "meaning";
    return this.#answer(state, query, options, stage, encoded ?? (await this.#encode(state, query, options)));
  }

  /** The vector of a text. @param {State} state @param {{ text?: string }} query @param {any} options @returns {Promise<Encoded>} */
  #encode(state, query, options) {
    return this.#turns.take(options.signal, () => {
      const start = performance.now();
      const vector = state.open().encodeQuery(query.text, written(options));
      const { values, tokens, truncated, unknown } = vector;
      vector.free();
      // Every text begins and ends with a token of its own.
      const share = tokens > 2 ? unknown / (tokens - 2) : 0;
      return { values, tokens, truncated, unknown: share, ms: performance.now() - start };
    });
  }

  /** Shards that a query needs and that are not here. @param {State} state @param {object} query @param {any} options @param {Float32Array} [vector] @returns {number[]} */
  #missing(state, query, options, vector) {
    // With all of them here the query need not be read to know.
    const isWhole = readsFronts(query, vector) ? state.hasAllFronts : state.isWhole;
    if (isWhole || options.k === 0) return [];
    return [...state.open().missing(JSON.stringify(query), vector, written(options))];
  }

  /** The number of the shard that has an item: fronts are downloaded until one tells. @param {State} state @param {string} id @param {AbortSignal} [signal] */
  async #shardOf(state, id, signal) {
    for (const number of state.numbers) {
      const found = state.open().shardOf(id);
      if (found !== undefined) return found;
      await abortable(signal, state.front(number));
    }
    return state.open().shardOf(id);
  }

  /** Downloads the shards of these items. @param {State} state @param {string[]} ids @param {AbortSignal} [signal] */
  async #locate(state, ids, signal) {
    for (const id of ids) {
      const shard = await this.#shardOf(state, id, signal);
      if (shard !== undefined) await abortable(signal, state.shard(shard));
    }
  }

  /**
   * @param {State} state
   * @param {object} query
   * @param {any} options
   * @param {"hybrid" | "words" | "meaning"} stage the parts of a text that hits are compared by
   * @param {Encoded} encoded
   */
  async #answer(state, query, options, stage, { values, ms: encode, ...read }) {
    const { signal, partial = false, onPartial } = options;
    const [asked, settings] = [JSON.stringify(query), written(options)];
    const search = () =>
      this.#turns.take(signal, () => {
        const start = performance.now();
        const { probed, missing, facets, ...answer } = JSON.parse(state.open().search(asked, values, settings));
        const ms = { encode, search: performance.now() - start };
        const shards = { searched: probed, missing };
        const byField = Object.fromEntries(facets.map((/** @type {any} */ { field, ...counts }) => [field, counts]));
        return Hits.of_({ ...answer, facets: byField, stage, partial: missing > 0, ...read, shards, ms });
      });
    // A query that fits no shelf is an error before anything is fetched for it.
    let hits = await search();
    /** Shards that cannot be had now. @type {Map<number, any>} */
    const failed = new Map();
    const bring = (/** @type {number} */ number) => (readsFronts(query, values) ? state.front(number) : state.shard(number));
    for (;;) {
      const missing = this.#missing(state, query, options, values).filter((number) => !failed.has(number));
      if (missing.length === 0) break;
      const loading = missing.map((number) => bring(number).catch((error) => void failed.set(number, error)));
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
    if (state.isWithoutEncoder) throw failure("query", "encode: the shelf was opened without an encoder.");
    return state.use(async () => {
      await abortable(signal, state.encoder());
      return this.#turns.take(signal, () => {
        const encoded = state.open().encode(text);
        const { values } = encoded;
        encoded.free();
        return values;
      });
    });
  }

  /** Downloads the encoder and every shard, so that all queries are answered without a connection. @param {{ signal?: AbortSignal }} [options] */
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
