// `openShelf` for a platform: what differs is where the wasm module lies and whether there are workers.

import { failure } from "./failure.js";
import { checkOpening } from "./options.js";
import { RemoteShelf } from "./remote.js";
import { LocalShelf } from "./shelf.js";
import { toSource } from "./source.js";

/** The API of both kinds of shelf. */
class Shelf {
  #inner;

  /** @param {LocalShelf | RemoteShelf} inner */
  constructor(inner) {
    this.#inner = inner;
    Object.assign(this, inner.about);
  }

  /** @param {any} news */
  async overlay(news) {
    Object.assign(this, await this.#inner.overlay(news));
  }

  /** @param {string} text @param {any} [options] */
  search(text, options) {
    return this.#inner.search(text, options);
  }

  /** @param {Float32Array} vector @param {any} [options] */
  searchVector(vector, options) {
    return this.#inner.searchVector(vector, options);
  }

  /** @param {string} id @param {any} [options] */
  similar(id, options) {
    return this.#inner.similar(id, options);
  }

  /** @param {any} asked */
  recommend(asked) {
    return this.#inner.recommend(asked);
  }

  /** @param {string} id @param {any} [options] */
  get(id, options) {
    return this.#inner.get(id, options);
  }

  /** @param {string} text @param {any} [options] */
  suggest(text, options) {
    return this.#inner.suggest(text, options);
  }

  /** @param {string} text @param {any} [options] */
  encode(text, options) {
    return this.#inner.encode(text, options);
  }

  /** @param {any} [options] */
  load(options) {
    return this.#inner.load(options);
  }

  /** @param {any} [options] */
  async refresh(options) {
    Object.assign(this, await this.#inner.refresh(options));
  }

  stats() {
    return this.#inner.stats();
  }

  dispose() {
    this.#inner.dispose();
  }

  [Symbol.dispose ?? Symbol.for("Symbol.dispose")]() {
    this.dispose();
  }
}

/**
 * @param {object} platform
 * @param {import("./shelf.js").Modules} platform.modules
 * @param {(() => Worker)} [platform.startWorker] where a worker is the default
 * @param {boolean} [platform.cache] whether downloads are kept by default
 * @param {boolean} [platform.background] whether work goes on when a call was answered
 * @param {(source: any) => any} [platform.source] sources of the platform's own
 */
export function openShelfFor({ modules, startWorker, cache = false, background = false, source: own }) {
  /** @param {any} source @param {any} [options] */
  return async function openShelf(source, options = {}) {
    if (source === undefined || source === null) {
      throw failure("options", `openShelf: expected an address, a Response, a function or files, found ${source}.`);
    }
    checkOpening(options);
    const settings = { cache, ...options, background };
    const { worker = Boolean(startWorker), wasm, onnxWasm, fetch } = settings;
    if (worker !== false) {
      const start = () => {
        if (typeof worker === "function") return worker();
        if (worker !== true) return worker;
        if (!startWorker) throw new Error("this runtime starts none");
        return startWorker();
      };
      return new Shelf(await RemoteShelf.open(source, settings, start));
    }
    const kept = Boolean(settings.cache);
    const from = own?.(source) ?? toSource(source, { fetch, revalidate: Boolean(startWorker), kept });
    const given = { network: wasm, onnx: onnxWasm };
    const locate = (/** @type {"network" | "onnx"} */ kind) => given[kind] ?? modules.locate(kind);
    return new Shelf(await LocalShelf.open(from, settings, { ...modules, locate }));
  };
}
