// Errors with a `code` that programs can tell apart and a message that says what to do.

/** The advice of every code, for whoever reads the message. @type {Record<string, string>} */
const ADVICE = {
  network: "Check the connection and the address; what was downloaded so far is kept, and opening again goes on from there.",
  timeout: "The server sent nothing for too long: check the connection, or raise openShelf's `timeout`.",
  http: "Check that every file of the shelf's directory was uploaded, that no cache keeps an old shelf.nsm, and the address given to openShelf.",
  "not-a-shelf":
    "The server answers unknown paths with a page: copy the shelf's files to where this address points, or correct the address.",
  altered: "The file is not the one that was built: upload the shelf's directory again, whole, and let nothing on the way rewrite it.",
  stale: "The shelf was replaced on the server: call `refresh()` or open it again. Keep the files of the shelf before for a while when you deploy.",
  kept: "The shelf of the last visit answers until the server gives its manifest again.",
  format: "The file is damaged or no part of a shelf: build the shelf again with `nearshelf build` and upload it.",
  "too-new": "The shelf was built by a newer nearshelf: update the npm package.",
  missing: "Give openShelf every file that the manifest names.",
  "no-shelf": "Check the path given to openShelf: it names the directory that `nearshelf build` made.",
  query: "Pass a string, or a vector with as many finite numbers as the shelf has dimensions; `shelf.fields` has what `where` can ask for.",
  encoding: "The shelf's encoder gave no vector for this text: check it with `nearshelf verify`.",
  unsupported: "The shelf's encoder is a graph in ONNX that this module does not read: pass the module of the package's `wasm/onnx` as `onnxWasm`.",
  module:
    "It is a file of the npm package: let the bundler emit it beside the package's code, or pass its address as openShelf's `wasm`.",
  "no-wasm": "This runtime has no WebAssembly, or it is switched off.",
  "no-simd": "nearshelf needs WebAssembly SIMD: Chrome 91, Firefox 89, Safari 16.4, Node 16.4 or newer.",
  "wasm-blocked":
    "The page's Content-Security-Policy forbids WebAssembly: add 'wasm-unsafe-eval' to its script-src (and let connect-src reach the shelf).",
  "worker-blocked":
    "The worker could not start: let the Content-Security-Policy's worker-src allow it (and `blob:`, where the package is on another origin; with require-trusted-types-for 'script' no worker starts), give openShelf a `worker` of your bundler, or pass `worker: false`. In development, keep the bundler from prebundling the package.",
  "worker-offline": "The worker's script could not be fetched: it is a file of the site's own, which its service worker has to keep for use without a connection.",
  quota: "The browser gives this site no more space: searches work, but the next visit downloads again.",
  memory: "The shelf needs more memory than this runtime gives.",
  crashed: "The engine stopped: dispose of the shelf and open it again, and please report how it came to this.",
  disposed: "Open the shelf again.",
  options: "Look at the documentation of openShelf and search.",
};

/** Any error of nearshelf. */
export class NearshelfError extends Error {
  // Names as texts: minifiers rename classes.
  static type = "NearshelfError";

  /**
   * @param {string} code
   * @param {string} what
   * @param {{ url?: string, status?: number, cause?: unknown }} [details]
   */
  constructor(code, what, { url, status, cause } = {}) {
    const advice = ADVICE[code] ?? "";
    super(advice ? `${what} ${advice}` : what, cause === undefined ? undefined : { cause });
    this.name = new.target.type;
    this.code = code;
    this.url = url;
    this.status = status;
  }
}

/** A file could not be fetched: `network`, `timeout`, `http`, `stale`; as a warning, `kept`. */
export class NetworkError extends NearshelfError {
  static type = "NetworkError";
}
/** A file is not what it should be: `not-a-shelf`, `altered`, `format`, `missing`, `no-shelf`. */
export class ShelfError extends NearshelfError {
  static type = "ShelfError";
}
/** The shelf is newer than this package: `too-new`. */
export class VersionError extends NearshelfError {
  static type = "VersionError";
}
/**
 * The runtime cannot do it: `module`, `unsupported`, `no-wasm`, `no-simd`, `wasm-blocked`, `worker-blocked`,
 * `worker-offline`, `memory`, `crashed`.
 */
export class PlatformError extends NearshelfError {
  static type = "PlatformError";
}
/** The browser does not keep the files: `quota`. */
export class StorageError extends NearshelfError {
  static type = "StorageError";
}
/** The call is wrong: `query`, `encoding`, `options`, `disposed`. */
export class UsageError extends NearshelfError {
  static type = "UsageError";
}
