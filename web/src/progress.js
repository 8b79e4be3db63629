// The bytes of downloads, summed up for the caller.

import { call } from "./failure.js";

/** Bytes by file: what of it is here, and whether it was stored. */
export class Progress {
  /** @type {Map<string, { loaded: number, stored: number, total: number }>} */
  #files = new Map();
  #tell;

  /** @param {import("./state.js").OpenOptions["onProgress"]} tell */
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
