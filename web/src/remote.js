// A shelf in a worker, with the API of one in this thread.

import { checkManifest, checkStatus } from "./download.js";
import { abortReason, call, failure, fromMessage, toMessage } from "./failure.js";
import { Hits } from "./hits.js";
import { searching } from "./options.js";
import { MANIFEST, toSource } from "./source.js";

export class RemoteShelf {
  #worker;
  #last = 0;
  /** Calls without an answer yet, by number. @type {Map<number, any>} */
  #calls = new Map();
  #disposed = false;
  /** @type {any} */
  #about;

  /** @param {Worker} worker */
  constructor(worker) {
    this.#worker = worker;
  }

  /**
   * @param {any} source
   * @param {any} options
   * @param {() => Worker} start
   */
  static async open(source, options, start) {
    const { signal, onProgress, onUpdate, onWarning = (/** @type {Error} */ error) => console.warn(error) } = options;
    if (signal?.aborted) throw abortReason(signal);
    // A function of the caller's, or bytes, stay on this side and are read through messages.
    const direct = typeof source === "string" || source instanceof URL ? toSource(source).base : undefined;
    const files = direct && !options.fetch ? undefined : toSource(source, { fetch: options.fetch, revalidate: true, kept: options.cache });
    let worker;
    try {
      worker = start();
    } catch (/** @type {any} */ cause) {
      throw failure("worker-blocked", `The worker could not be made (${cause?.message ?? cause}).`, { cause });
    }
    const shelf = new RemoteShelf(worker);
    const ready = new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => {
        if (data.type === "ready") resolve(undefined);
        else if (data.type === "progress") call(onProgress, data.progress);
        else if (data.type === "update") call(onUpdate);
        else if (data.type === "warning") call(onWarning, fromMessage(data.error));
        else if (data.type === "read") shelf.#give(data, files);
        else shelf.#receive(data);
      };
      const failed = (/** @type {any} */ event) => {
        event.preventDefault?.();
        const code = globalThis.navigator?.onLine === false && !event.message ? "worker-offline" : "worker-blocked";
        const error = failure(code, `The worker failed (${event.message || "it could not be loaded"}).`);
        reject(error);
        shelf.#fail(error);
      };
      worker.onerror = failed;
      worker.onmessageerror = failed;
    });
    try {
      await ready;
      const from = files ? { base: files.base } : { url: direct };
      const { cache, encoder, wasm, onnxWasm, timeout, revalidate } = options;
      const message = { type: "open", source: from, cache, encoder, revalidate, wantsUpdate: Boolean(onUpdate), wasm: absolute(wasm), onnxWasm: absolute(onnxWasm), timeout };
      shelf.#about = await shelf.#call(message, signal);
      return shelf;
    } catch (error) {
      shelf.dispose();
      throw error;
    }
  }

  get about() {
    return this.#about;
  }

  /** @param {any} message @param {AbortSignal} [signal] @param {(value: any) => void} [onPartial] @returns {Promise<any>} */
  #call(message, signal, onPartial) {
    if (this.#disposed) return Promise.reject(failure("disposed", "The shelf was disposed of."));
    if (signal?.aborted) return Promise.reject(abortReason(signal));
    this.#last += 1;
    const number = this.#last;
    return new Promise((resolve, reject) => {
      // At once, whatever the worker is at: it only hears of it.
      const abort = () => {
        done();
        this.#worker.postMessage({ type: "abort", number });
        reject(abortReason(/** @type {AbortSignal} */ (signal)));
      };
      const done = () => {
        this.#calls.delete(number);
        signal?.removeEventListener("abort", abort);
      };
      try {
        this.#worker.postMessage({ ...message, number });
      } catch (/** @type {any} */ cause) {
        return reject(failure("options", `${uncloneable(message)}: expected plain values (${cause?.message ?? cause}).`, { cause }));
      }
      signal?.addEventListener("abort", abort, { once: true });
      this.#calls.set(number, { resolve, reject, done, onPartial });
    });
  }

  /** @param {any} data */
  #receive({ type, number, value, error, hits, goesOn }) {
    const call = this.#calls.get(number);
    // Aborted before it was answered.
    if (!call) return;
    if (type === "partial") return call.onPartial?.(hits);
    // Of a search, more may follow.
    if (type === "done" || !goesOn) call.done();
    if (type === "done") return;
    if (!error) call.resolve(value);
    else call.reject(fromMessage(error));
  }

  /** @param {Error} error */
  #fail(error) {
    for (const { reject, done } of this.#calls.values()) {
      done();
      reject(error);
    }
    this.#calls.clear();
  }

  /** A file of the caller's for the worker. @param {any} data @param {any} files */
  async #give({ number, name }, files) {
    try {
      const answer = await files.read(name, {});
      if (answer instanceof Uint8Array) {
        // A copy: the caller's bytes stay the caller's.
        const bytes = answer.slice();
        return this.#worker.postMessage({ type: "file", number, bytes }, [bytes.buffer]);
      }
      const url = answer.url || name;
      checkStatus(answer, url);
      const bytes = new Uint8Array(await answer.arrayBuffer());
      if (name === MANIFEST) checkManifest(bytes, answer, url);
      this.#worker.postMessage({ type: "file", number, bytes }, [bytes.buffer]);
    } catch (error) {
      this.#worker.postMessage({ type: "file", number, error: toMessage(error) });
    }
  }

  /** @param {any} options */
  #searching(options) {
    const { signal, onPartial, ...rest } = searching(options);
    const tell = onPartial && ((/** @type {any} */ value) => call(onPartial, Hits.of_(value)));
    return { signal, tell, options: { ...rest, wantsPartial: Boolean(onPartial) } };
  }

  /** @param {Record<string, Record<string, any> | null>} news */
  async overlay(news) {
    return this.#call({ type: "overlay", news });
  }

  /** @param {string} text @param {any} [how] */
  async search(text, how) {
    const { signal, tell, options } = this.#searching(how);
    return Hits.of_(await this.#call({ type: "search", text, options }, signal, tell));
  }

  /** @param {Float32Array} vector @param {any} [how] */
  async searchVector(vector, how) {
    const { signal, tell, options } = this.#searching(how);
    return Hits.of_(await this.#call({ type: "searchVector", vector, options }, signal, tell));
  }

  /** @param {string} id @param {any} [how] */
  async similar(id, how) {
    const { signal, tell, options } = this.#searching(how);
    return Hits.of_(await this.#call({ type: "similar", id, options }, signal, tell));
  }

  /** @param {any} how */
  async recommend(how) {
    const { signal, tell, options } = this.#searching(how);
    return Hits.of_(await this.#call({ type: "recommend", asked: options }, signal, tell));
  }

  /** @param {string} id @param {{ signal?: AbortSignal }} [options] */
  async get(id, options) {
    return this.#call({ type: "get", id }, searching(options).signal);
  }

  /** @param {string} text @param {{ k?: number, signal?: AbortSignal }} [how] */
  async suggest(text, how) {
    const { signal, options } = this.#searching(how);
    return this.#call({ type: "suggest", text, options }, signal);
  }

  /** @param {string} text @param {{ signal?: AbortSignal }} [options] */
  async encode(text, options) {
    return this.#call({ type: "encode", text }, searching(options).signal);
  }

  /** @param {{ signal?: AbortSignal }} [options] */
  async load(options) {
    return this.#call({ type: "load" }, searching(options).signal);
  }

  /** Takes the shelf as it is on the server now. @param {{ signal?: AbortSignal }} [options] */
  async refresh(options) {
    this.#about = await this.#call({ type: "refresh" }, searching(options).signal);
    return this.#about;
  }

  stats() {
    return this.#call({ type: "stats" });
  }

  dispose() {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#worker.terminate();
    this.#fail(failure("disposed", "The shelf was disposed of."));
  }
}

/** An address as the page means it: the worker lies elsewhere. @param {any} wasm */
function absolute(wasm) {
  if (!(typeof wasm === "string" || wasm instanceof URL)) return wasm;
  return new URL(wasm, globalThis.document?.baseURI ?? globalThis.location?.href).href;
}

/** The name of what cannot be sent to a worker. @param {any} message */
function uncloneable({ options, ...message }) {
  for (const [name, value] of Object.entries({ ...message, ...options })) {
    try {
      structuredClone(value);
    } catch {
      return name;
    }
  }
  return "options";
}
