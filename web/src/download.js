// One file: from the store or the network, whole and with the digest that it should have.

import { abortReason, failure, isAbort } from "./failure.js";
import { MANIFEST } from "./source.js";
import { PIECE } from "./store.js";

/** Connections that may break off one after the other, without a byte between them, before it is an error. */
const ATTEMPTS = 4;
const PAUSE_MS = 250;
/** A download that takes longer is kept piece by piece, and goes on after a reload. */
const SLOW_MS = 2000;
/** Milliseconds without an answer or a byte, by default. */
export const TIMEOUT = { manifest: 10_000, stall: 20_000 };

/** @typedef {{ name: string, bytes: number, sha256: string }} File */
/**
 * Where a file's bytes go.
 * @typedef {object} Sink
 * @property {(offset: number, bytes: Uint8Array) => void} write
 * @property {() => Uint8Array} bytes all of them, until the sink's memory moves
 */
/**
 * @typedef {object} Context
 * @property {import("./source.js").Source} source
 * @property {import("./store.js").Store} [store]
 * @property {AbortSignal} [signal]
 * @property {number} [stall] milliseconds
 * @property {(bytes: Uint8Array) => string | Promise<string>} sha256
 * @property {(loaded: number, stored: boolean) => void} [progress]
 */

/** A sink in JavaScript's memory. @param {number} length @returns {Sink} */
export function memory(length) {
  const all = new Uint8Array(length);
  return { write: (offset, bytes) => all.set(bytes, offset), bytes: () => all };
}

/**
 * Brings a file into a sink, of which the first `here` bytes are there. Two tabs that want the same file download it once.
 * @param {File} file
 * @param {Context} context
 * @param {Sink} sink
 * @param {number} [here]
 */
export function download(file, context, sink, here = 0) {
  const { store, signal } = context;
  if (!store) return bring(file, context, sink, here).then(() => undefined);
  return store.exclusively(file.name, signal, async () => {
    const fetched = await bring(file, context, sink, here);
    return fetched ? { then: store.put(file.name, sink.bytes().slice()).then(() => store.removePieces(file.name)) } : {};
  });
}

/**
 * Whether the file came over the network, and is not in the store yet.
 * @param {File} file
 * @param {Context} context
 * @param {Sink} sink
 * @param {number} here
 */
async function bring(file, context, sink, here) {
  const { store, sha256, progress } = context;
  const stored = await store?.get(file.name);
  if (stored) {
    if (stored.length === file.bytes && (await sha256(stored)) === file.sha256) {
      sink.write(0, stored);
      progress?.(file.bytes, true);
      return false;
    }
    await store?.remove(file.name);
  }
  // What was there may be bad: then once more, from the start.
  for (let again = true; ; again = false) {
    const { found, resumed } = await receive(file, context, sink, again, here);
    if (found === file.sha256) return true;
    await store?.removePieces(file.name);
    if (!again || !resumed) {
      const what = `${file.name}: expected SHA-256 ${file.sha256}, found ${found}.`;
      throw failure("altered", what, { url: address(file.name, context) });
    }
  }
}

/** A download on its way. */
class Receiver {
  loaded = 0;
  resumed = false;
  #began = performance.now();
  #pieces = 0;
  #hash;

  /**
   * @param {File} file
   * @param {Context} context
   * @param {Sink} sink
   */
  constructor(file, context, sink) {
    this.file = file;
    this.context = context;
    this.sink = sink;
    this.url = address(file.name, context);
    this.#hash = incremental();
  }

  /** The digest of all that came. */
  async digest() {
    return (await this.#hash?.end()) ?? (await this.context.sha256(this.sink.bytes()));
  }

  /** Takes the bytes that the sink has: the first of the file. @param {number} here */
  async takeFirst(here) {
    if (here === 0) return;
    this.loaded = here;
    this.resumed = true;
    await this.#hash?.add(this.sink.bytes().slice(0, here));
  }

  /** Takes what an earlier visit kept of the file. */
  async takePieces() {
    const { file, context } = this;
    for (const piece of (await context.store?.pieces(file.name)) ?? []) {
      if (piece.length !== PIECE || this.loaded + PIECE >= file.bytes) break;
      await this.#add(piece);
      this.#pieces += 1;
    }
    if (this.loaded === 0) return;
    this.resumed = true;
    context.progress?.(this.loaded, true);
  }

  /** @param {Uint8Array} bytes */
  async #add(bytes) {
    this.sink.write(this.loaded, bytes);
    this.loaded += bytes.length;
    await this.#hash?.add(bytes);
  }

  /** Forgets what came. */
  startOver() {
    if (this.loaded > 0) this.#hash = incremental();
    this.loaded = 0;
    this.#pieces = 0;
  }

  /** @param {number | string} found */
  length(found) {
    const what = `${this.file.name}: expected ${this.file.bytes} bytes, found ${found}.`;
    return failure("altered", what, { url: this.url });
  }

  /** One request, and what comes of it. */
  async attempt() {
    const { file, context } = this;
    const { source, stall = TIMEOUT.stall } = context;
    const abort = new AbortController();
    const stop = () => abort.abort(context.signal && abortReason(context.signal));
    context.signal?.addEventListener("abort", stop, { once: true });
    try {
      let answer = await within(stall, abort, source.read(file.name, { signal: abort.signal, offset: this.loaded }));
      if (answer instanceof Uint8Array) {
        if (answer.length !== file.bytes) throw this.length(answer.length);
        this.startOver();
        await this.#add(answer);
        context.progress?.(answer.length, false);
        return;
      }
      if (answer.status === 416 && this.loaded > 0) {
        // The server's file is shorter than what is here: from the start, whole.
        this.startOver();
        answer = /** @type {Response} */ (await within(stall, abort, source.read(file.name, { signal: abort.signal, offset: 0 })));
      }
      checkStatus(answer, this.url);
      const start = startOf(answer, this.loaded, file.bytes);
      if (start === undefined) {
        // A part, and nobody says which: asked for again, whole.
        await answer.body?.cancel().catch(() => {});
        this.startOver();
        answer = /** @type {Response} */ (await within(stall, abort, source.read(file.name, { signal: abort.signal, offset: 0 })));
        checkStatus(answer, this.url);
      } else if (start !== this.loaded) this.startOver();
      this.resumed ||= this.loaded > 0;
      await this.#body(answer, abort, stall);
    } finally {
      context.signal?.removeEventListener("abort", stop);
    }
  }

  /**
   * @param {Response} answer
   * @param {AbortController} abort
   * @param {number} stall
   */
  async #body(answer, abort, stall) {
    const { file, context } = this;
    const { store, signal, progress } = context;
    for await (const chunk of chunks(answer, abort, stall)) {
      if (this.loaded + chunk.length > file.bytes) throw this.length(`${this.loaded + chunk.length} or more`);
      await this.#add(chunk);
      progress?.(this.loaded, false);
      const slow = performance.now() - this.#began > SLOW_MS;
      for (; slow && store && this.loaded >= (this.#pieces + 1) * PIECE; this.#pieces++) {
        const piece = this.sink.bytes().slice(this.#pieces * PIECE, (this.#pieces + 1) * PIECE);
        await store.putPiece(file.name, this.#pieces, piece);
      }
      if (signal?.aborted) throw abortReason(signal);
    }
    // A whole answer that ends without an error is all that the server has.
    if (this.loaded < file.bytes && answer.status === 200) throw this.length(this.loaded);
    if (this.loaded < file.bytes) throw new TypeError(`the connection ended after ${this.loaded} of ${file.bytes} bytes`);
  }
}

/**
 * @param {File} file
 * @param {Context} context
 * @param {Sink} sink
 * @param {boolean} resume whether to go on behind what an earlier visit kept, or the first `here` bytes
 * @param {number} here
 */
async function receive(file, context, sink, resume, here) {
  const { signal } = context;
  const receiver = new Receiver(file, context, sink);
  if (resume) await receiver.takePieces();
  if (resume && receiver.loaded === 0 && !context.source.givesNoParts) await receiver.takeFirst(here);
  // The most that ever came: a try that brings less than another did is no progress.
  let most = receiver.loaded;
  for (let attempt = 1; receiver.loaded < file.bytes; attempt++) {
    if (signal?.aborted) throw abortReason(signal);
    try {
      await receiver.attempt();
    } catch (error) {
      if (signal?.aborted) throw abortReason(signal);
      if (isAbort(error)) throw error;
      const { code, status } = /** @type {any} */ (error ?? {});
      const passing = code === undefined || code === "timeout" || (code === "http" && busy(status));
      if (!passing) throw error;
      if (code === undefined && here > 0 && receiver.loaded === here) {
        // A server that compresses the file on its way cannot go on in the middle of it.
        context.source.givesNoParts = true;
        receiver.startOver();
        continue;
      }
      if (receiver.loaded > most) attempt = 1;
      most = Math.max(most, receiver.loaded);
      if (attempt >= ATTEMPTS || globalThis.navigator?.onLine === false) {
        if (code !== undefined) throw error;
        const why = /** @type {any} */ (error)?.message ?? error;
        const what = `${receiver.url}: ${receiver.loaded} of ${file.bytes} bytes came: ${why}.`;
        throw failure("network", what, { url: receiver.url, cause: error });
      }
      // A server may give parts of the file as it compressed it, which browsers cannot decode: at last, all of it.
      if (attempt === ATTEMPTS - 1) receiver.startOver();
      await pause(PAUSE_MS * 2 ** attempt, signal);
    }
  }
  return { found: await receiver.digest(), resumed: receiver.resumed };
}

/**
 * The manifest's bytes. One that cannot be had for a moment is asked for once more.
 * @param {Pick<Context, "source" | "signal"> & { timeout?: number }} context
 */
export async function downloadManifest({ source, signal, timeout = TIMEOUT.manifest }) {
  const url = address(MANIFEST, { source });
  for (let attempt = 1; ; attempt++) {
    const abort = new AbortController();
    const stop = () => abort.abort(signal && abortReason(signal));
    signal?.addEventListener("abort", stop, { once: true });
    try {
      const answer = await within(timeout, abort, source.read(MANIFEST, { signal: abort.signal }));
      if (answer instanceof Uint8Array) return answer;
      checkStatus(answer, url);
      const bytes = new Uint8Array(await within(timeout, abort, answer.arrayBuffer()));
      checkManifest(bytes, answer, url);
      return bytes;
    } catch (error) {
      if (signal?.aborted) throw abortReason(signal);
      if (isAbort(error)) throw error;
      const { code, status } = /** @type {any} */ (error ?? {});
      const passing = code === "timeout" || (code === "http" && busy(status));
      if (passing && attempt < 2) continue;
      if (code !== undefined) throw error;
      throw failure("network", `${url}: ${/** @type {any} */ (error)?.message ?? error}.`, { url, cause: error });
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }
}

/**
 * Waits for `promise`: its value, or an error after `ms` milliseconds, with the request stopped.
 * @template T
 * @param {number} ms
 * @param {AbortController} abort
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
function within(ms, abort, promise) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(failure("timeout", `Nothing came for ${ms / 1000} s.`));
      abort.abort();
    }, ms);
    const stop = () => reject(abort.signal.reason);
    abort.signal.addEventListener("abort", stop, { once: true });
    promise.then(resolve, reject).finally(() => {
      clearTimeout(timer);
      abort.signal.removeEventListener("abort", stop);
    });
  });
}

/** @param {string} name @param {Pick<Context, "source">} context */
const address = (name, { source }) => (source.base ?? "") + name;

/** Servers answer with a page for what they do not have. @param {Uint8Array} bytes @param {Response} answer @param {string} url */
export function checkManifest(bytes, answer, url) {
  const type = answer.headers.get("content-type") ?? "";
  if (!type.startsWith("text/html") && bytes[0] !== 0x3c) return;
  throw failure("not-a-shelf", `${url}: expected a shelf's manifest, found a page (${type || "no type"}).`, { url });
}

/** @param {Response} answer @param {string} url */
export function checkStatus(answer, url) {
  if (answer.ok) return;
  const what = `${url}: expected the file, found status ${answer.status} ${answer.statusText}`.trimEnd();
  throw failure("http", `${what}.`, { url, status: answer.status });
}

/** Whether a server that gives this status may do better in a moment. @param {number} [status] */
const busy = (status) => status === 429 || (status !== undefined && status >= 500);

/**
 * Where the body of an answer starts; undefined for a part of which that is not known. Without
 * `Access-Control-Expose-Headers` another origin's Content-Range is hidden; a part of the right length is the rest.
 * @param {Response} answer
 * @param {number} offset
 * @param {number} total
 */
function startOf(answer, offset, total) {
  if (answer.status !== 206) return 0;
  const coded = answer.headers.get("content-encoding");
  const start = /^bytes (\d+)-/.exec(answer.headers.get("content-range") ?? "")?.[1];
  if (start !== undefined) return Number(start) === offset && !coded ? offset : undefined;
  const length = Number(answer.headers.get("content-length") ?? NaN);
  return length === total - offset && !coded ? offset : undefined;
}

/** @param {Response} answer @param {AbortController} abort @param {number} stall */
async function* chunks(answer, abort, stall) {
  if (!answer.body) {
    yield new Uint8Array(await within(stall, abort, answer.arrayBuffer()));
    return;
  }
  const reader = answer.body.getReader();
  try {
    for (;;) {
      const { done, value } = await within(stall, abort, reader.read());
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/**
 * A SHA-256 that is given its bytes one after the other, where the runtime has one: no second copy of the file then.
 * @returns {{ add: (bytes: Uint8Array) => Promise<void>, end: () => Promise<string> } | undefined}
 */
function incremental() {
  const DigestStream = /** @type {any} */ (globalThis.crypto)?.DigestStream;
  if (!DigestStream) return undefined;
  const stream = new DigestStream("SHA-256");
  const writer = stream.getWriter();
  return {
    add: (bytes) => writer.write(bytes),
    end: async () => {
      await writer.close();
      return hex(new Uint8Array(await stream.digest));
    },
  };
}

/** @param {Uint8Array} bytes */
export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** @param {number} ms @param {AbortSignal} [signal] */
function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      if (signal) reject(abortReason(signal));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve(undefined);
    }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
