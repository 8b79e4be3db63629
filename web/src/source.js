// Where a shelf's files come from: an address, a function of the caller's, or bytes at hand.

import { failure } from "./failure.js";

export const MANIFEST = "shelf.nsm";

/**
 * @typedef {object} Source
 * @property {string} [base] the address that names are appended to
 * @property {boolean} [givesNoParts] whether a file could not be had from a place in it on
 * @property {(name: string, request: { signal?: AbortSignal, offset?: number }) => Promise<Response | Uint8Array>} read
 *   gives a file; from `offset` on where it can
 */

/**
 * @typedef {object} SourceOptions
 * @property {typeof fetch} [fetch]
 * @property {boolean} [revalidate] whether the manifest is asked for anew each time
 * @property {boolean} [kept] whether the package keeps the files, so that the HTTP cache need not
 */

/**
 * @param {any} source
 * @param {SourceOptions} options
 * @returns {Source}
 */
export function toSource(source, options = {}) {
  if (typeof source === "function") return { read: async (name, request) => toAnswer(await source(name, request), name) };
  if (typeof Response !== "undefined" && source instanceof Response) return fromResponse(source, options);
  if (typeof source === "string" || source instanceof URL) return fromUrl(String(source), options);
  if (source instanceof Map) return fromFiles((name) => source.get(name));
  if (source && typeof source === "object") return fromFiles((name) => source[name]);
  throw failure("options", `openShelf: expected an address, a Response, a function or files, found ${typeof source}.`);
}

/** @param {any} answer @param {string} name @returns {Response | Uint8Array} */
function toAnswer(answer, name) {
  if (typeof Response !== "undefined" && answer instanceof Response) return answer;
  if (answer instanceof ArrayBuffer) return new Uint8Array(answer);
  if (ArrayBuffer.isView(answer)) return new Uint8Array(answer.buffer, answer.byteOffset, answer.byteLength);
  if (typeof ReadableStream !== "undefined" && answer instanceof ReadableStream) return new Response(answer);
  // A Response of another realm, or of a library.
  if (typeof answer?.arrayBuffer === "function" && "status" in answer) return answer;
  throw failure("missing", `${name}: expected bytes or a Response, found ${answer === null ? "null" : typeof answer}.`);
}

/** @param {(name: string) => unknown} get @returns {Source} */
const fromFiles = (get) => ({ read: async (name) => toAnswer(get(name), name) });

/** @param {string} url @param {SourceOptions} options @returns {Source} */
function fromUrl(url, { fetch: fetchWith = (...args) => fetch(...args), revalidate = false, kept = false }) {
  const base = directory(url);
  return {
    base,
    read(name, { signal, offset = 0 }) {
      /** @type {RequestInit} */
      const init = { signal };
      if (offset > 0) init.headers = { range: `bytes=${offset}-` };
      // The manifest alone changes under its name. The others are kept by the package, once.
      if (revalidate && name === MANIFEST) init.cache = "no-cache";
      else if (kept) init.cache = "no-store";
      return fetchWith(base + name, init);
    },
  };
}

/** The manifest at hand, the rest from beside it. @param {Response} response @param {object} options @returns {Source} */
function fromResponse(response, options) {
  if (!response.url) {
    throw failure("options", "openShelf: expected a Response with an address, as fetch gives it, found one without.");
  }
  const rest = fromUrl(response.url, options);
  let manifest = /** @type {Response | undefined} */ (response);
  return {
    base: rest.base,
    async read(name, request) {
      if (name !== MANIFEST || !manifest) return rest.read(name, request);
      const first = manifest;
      manifest = undefined;
      return first;
    },
  };
}

/** The address of a shelf's directory, given it or its manifest's. @param {string} url */
function directory(url) {
  const base = globalThis.document?.baseURI ?? globalThis.location?.href;
  let absolute;
  try {
    absolute = new URL(url, base);
  } catch {
    throw failure("options", `openShelf: expected an address, found ${JSON.stringify(url)}.`);
  }
  absolute.hash = "";
  absolute.search = "";
  if (absolute.pathname.endsWith(`/${MANIFEST}`)) absolute.pathname = absolute.pathname.slice(0, -MANIFEST.length);
  if (!absolute.pathname.endsWith("/")) absolute.pathname += "/";
  return absolute.href;
}
