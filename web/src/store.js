// What was downloaded, kept in the Cache API until the shelf changes.

import { call, failure } from "./failure.js";

const CACHE = "nearshelf";
/** Downloads are kept piece by piece, so that one that breaks off goes on after a reload. */
export const PIECE = 4 << 20;

export class Store {
  #cache;
  #base;
  #warn;
  #full = false;
  /** @type {Set<Promise<void>>} */
  #pending = new Set();

  /**
   * @param {Cache} cache
   * @param {string} base
   * @param {(error: Error) => void} warn
   */
  constructor(cache, base, warn) {
    this.#cache = cache;
    this.#base = base;
    this.#warn = warn;
  }

  /**
   * The store of what lies at `base`; none where the runtime has none, or a page may not use it.
   * @param {string} base
   * @param {(error: Error) => void} warn
   */
  static async open(base, warn) {
    try {
      if (typeof caches === "undefined") return undefined;
      return new Store(await caches.open(CACHE), base, warn);
    } catch {
      return undefined;
    }
  }

  /**
   * Runs `work` while nobody else on this origin does for the same file: other tabs wait, and find it kept. What
   * `work` gives as `then` is part of the turn, but not waited for here.
   * @param {string} name
   * @param {AbortSignal | undefined} signal
   * @param {() => Promise<{ then?: Promise<any> }>} work
   * @returns {Promise<void>}
   */
  exclusively(name, signal, work) {
    return new Promise((resolve, reject) => {
      const run = async () => {
        const { then } = await work();
        resolve();
        if (!then) return;
        const kept = then.catch(() => {});
        this.#pending.add(kept);
        await kept.finally(() => this.#pending.delete(kept));
      };
      const { locks } = /** @type {any} */ (globalThis.navigator ?? {});
      if (!locks) return void run().catch(reject);
      locks.request(`nearshelf ${this.#base}${name}`, signal ? { signal } : {}, run).catch(reject);
    });
  }

  /** @param {string} name */
  async has(name) {
    return Boolean(await this.#cache.match(this.#base + name).catch(() => undefined));
  }

  /** @param {string} name */
  async get(name) {
    const found = await this.#cache.match(this.#base + name).catch(() => undefined);
    return found && new Uint8Array(await found.arrayBuffer());
  }

  /** Until everything is kept, or could not be. */
  async settled() {
    await Promise.all(this.#pending);
  }

  /**
   * That bytes cannot be kept is a warning, once, as the shelf answers without.
   * @param {string} name
   * @param {Uint8Array} bytes
   */
  async put(name, bytes) {
    if (this.#full) return;
    try {
      const headers = { "content-type": "application/octet-stream", "content-length": String(bytes.length) };
      await this.#cache.put(this.#base + name, new Response(/** @type {any} */ (bytes), { headers }));
    } catch (cause) {
      this.#full = true;
      const full = /** @type {any} */ (cause)?.name === "QuotaExceededError";
      const why = full ? "the site's quota is used up" : /** @type {any} */ (cause)?.message;
      call(this.#warn, failure("quota", `${name} (${bytes.length} bytes) could not be kept: ${why}.`, { cause }));
    }
  }

  /** @param {string} name */
  remove(name) {
    return this.#cache.delete(this.#base + name).catch(() => false);
  }

  /** @param {string} name @param {number} number @param {Uint8Array} bytes */
  putPiece(name, number, bytes) {
    return this.put(`${name}?piece=${number}`, bytes);
  }

  /**
   * The pieces of a file that a broken download left, in order.
   * @param {string} name
   */
  async pieces(name) {
    const pieces = [];
    for (let piece; (piece = await this.get(`${name}?piece=${pieces.length}`)); ) pieces.push(piece);
    return pieces;
  }

  /** @param {string} name */
  async removePieces(name) {
    for (let i = 0; await this.remove(`${name}?piece=${i}`); i++);
  }

  /**
   * Drops the files that lie at this base and are not among `names`. What lies in folders below is another shelf's.
   * @param {Set<string>} names
   */
  async keepOnly(names) {
    for (const { url } of await this.#cache.keys().catch(() => [])) {
      if (!url.startsWith(this.#base)) continue;
      const name = url.slice(this.#base.length).split("?")[0];
      if (!name.includes("/") && !names.has(name)) await this.#cache.delete(url).catch(() => false);
    }
  }
}
