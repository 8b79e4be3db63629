// One file of a shelf: from the store or the network, whole and as the manifest describes it.

import { abortReason, failure, isAbort } from "./failure.js";
import { MANIFEST } from "./source.js";
import { PIECE } from "./store.js";

/** Connections that may break off one after the other, without a byte between them, before it is an error. */
const ATTEMPTS = 4;
const PAUSE_MS = 250;
/** A download that takes longer is kept piece by piece, and goes on after a reload. */
const SLOW_MS = 2000;

/** @typedef {{ name: string, bytes: number, sha256: string }} File */
/**
 * @typedef {object} Context
 * @property {import("./source.js").Source} source
 * @property {import("./store.js").Store} [store]
 * @property {AbortSignal} [signal]
 * @property {(bytes: Uint8Array) => string | Promise<string>} sha256
 * @property {(loaded: number, stored: boolean) => void} [progress]
 */

/**
 * @param {File} file
 * @param {Context} context
 * @returns {Promise<Uint8Array>}
 */
export async function download(file, context) {
  const { store, sha256, progress } = context;
  const stored = await store?.get(file.name);
  if (stored) {
    if (stored.length === file.bytes && (await sha256(stored)) === file.sha256) {
      progress?.(file.bytes, true);
      return stored;
    }
    await store?.remove(file.name);
  }
  // What was kept of an earlier try may be bad: then once more, from the start.
  for (let again = true; ; again = false) {
    const { bytes, resumed } = await receive(file, context, again);
    const found = await sha256(bytes);
    if (found === file.sha256) {
      store?.keep(file.name, bytes);
      return bytes;
    }
    await store?.removePieces(file.name);
    if (!again || !resumed) {
      const what = `${file.name}: expected SHA-256 ${file.sha256} (by the manifest), found ${found}.`;
      throw failure("altered", what, { url: address(file.name, context) });
    }
  }
}

/**
 * @param {File} file
 * @param {Context} context
 * @param {boolean} resume
 */
async function receive(file, { source, store, signal, progress }, resume) {
  const began = performance.now();
  const bytes = new Uint8Array(file.bytes);
  let [loaded, pieces] = [0, 0];
  const url = address(file.name, { source });
  const length = (/** @type {number | string} */ found) =>
    failure("altered", `${file.name}: expected ${file.bytes} bytes (by the manifest), found ${found}.`, { url });
  if (resume) {
    for (const piece of (await store?.pieces(file.name)) ?? []) {
      if (piece.length !== PIECE || loaded + PIECE >= file.bytes) break;
      bytes.set(piece, loaded);
      loaded += PIECE;
      pieces += 1;
    }
    if (loaded > 0) progress?.(loaded, true);
  }
  let resumed = loaded > 0;
  for (let attempt = 1; loaded < file.bytes; attempt++) {
    if (signal?.aborted) throw abortReason(signal);
    const before = loaded;
    try {
      const answer = await source.read(file.name, { signal, offset: loaded });
      if (answer instanceof Uint8Array) {
        if (answer.length !== file.bytes) throw length(answer.length);
        progress?.(answer.length, false);
        return { bytes: answer, resumed: false };
      }
      checkStatus(answer, url);
      if (!continues(answer, loaded)) loaded = 0;
      resumed ||= loaded > 0;
      for await (const chunk of chunks(answer)) {
        if (loaded + chunk.length > file.bytes) throw length(`${loaded + chunk.length} or more`);
        bytes.set(chunk, loaded);
        loaded += chunk.length;
        progress?.(loaded, false);
        const slow = performance.now() - began > SLOW_MS;
        for (; slow && store && loaded >= (pieces + 1) * PIECE; pieces++) {
          await store.putPiece(file.name, pieces, bytes.slice(pieces * PIECE, (pieces + 1) * PIECE));
        }
        if (signal?.aborted) throw abortReason(signal);
      }
      // A whole answer that ends without an error is all that the server has.
      if (loaded < file.bytes && answer.status === 200) throw length(loaded);
      if (loaded < file.bytes) throw new TypeError(`the connection ended after ${loaded} of ${file.bytes} bytes`);
    } catch (error) {
      if (isAbort(error) || signal?.aborted) throw signal?.aborted ? abortReason(signal) : error;
      const known = typeof (/** @type {any} */ (error)?.code) === "string";
      if (known && !busy(/** @type {any} */ (error).status)) throw error;
      if (loaded > before) attempt = 1;
      if (attempt >= ATTEMPTS || globalThis.navigator?.onLine === false) {
        if (known) throw error;
        const why = /** @type {any} */ (error)?.message ?? error;
        throw failure("network", `${url}: ${loaded} of ${file.bytes} bytes came: ${why}.`, { url, cause: error });
      }
      await pause(PAUSE_MS * 2 ** attempt, signal);
    }
  }
  return { bytes, resumed };
}

/**
 * The manifest's bytes.
 * @param {Pick<Context, "source" | "signal">} context
 */
export async function downloadManifest({ source, signal }) {
  const url = address(MANIFEST, { source });
  let answer;
  try {
    answer = await source.read(MANIFEST, { signal });
    if (answer instanceof Uint8Array) return answer;
    checkStatus(answer, url);
    const bytes = new Uint8Array(await answer.arrayBuffer());
    checkManifest(bytes, answer, url);
    return bytes;
  } catch (error) {
    if (isAbort(error) || typeof (/** @type {any} */ (error)?.code) === "string") throw error;
    throw failure("network", `${url}: ${/** @type {any} */ (error)?.message ?? error}.`, { url, cause: error });
  }
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

/** Whether an answer goes on at `offset` and not from the start. @param {Response} answer @param {number} offset */
function continues(answer, offset) {
  if (offset === 0) return true;
  const start = /^bytes (\d+)-/.exec(answer.headers.get("content-range") ?? "")?.[1];
  return answer.status === 206 && Number(start) === offset && !answer.headers.get("content-encoding");
}

/** @param {Response} answer */
async function* chunks(answer) {
  if (!answer.body) {
    yield new Uint8Array(await answer.arrayBuffer());
    return;
  }
  const reader = answer.body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

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
