// Requests for the files that words need, made while the wasm module is on its way: their names can be seen in the manifest's
// bytes before the module reads it.

const NAMES = /(?:words|front)-[0-9a-f-]+\.ns[wf]/g;
/** Files that are asked for so; of a shelf of many shards a query may need few. */
const MOST = 6;

/**
 * A source that has asked for some files already, and gives each of these answers once.
 * @param {import("./source.js").Source} source
 * @param {Uint8Array} manifest
 * @param {import("./store.js").Store | undefined} store
 * @param {AbortSignal | undefined} signal
 * @returns {import("./source.js").Source}
 */
export function askAhead(source, manifest, store, signal) {
  const names = [...new Set(new TextDecoder("latin1").decode(manifest).match(NAMES))];
  if (names.length > MOST) return source;
  const answers = new Map(names.map((name) => [name, ask(source, name, store, signal)]));
  const read = async (/** @type {string} */ name, /** @type {{ signal?: AbortSignal, offset?: number }} */ request) => {
    const answer = answers.get(name);
    answers.delete(name);
    return (!request.offset && (await answer)) || source.read(name, request);
  };
  return { ...source, read };
}

/**
 * The answer for a file; none where it is kept, or could not be had, which the next request will tell.
 * @param {import("./source.js").Source} source
 * @param {string} name
 * @param {import("./store.js").Store | undefined} store
 * @param {AbortSignal | undefined} signal
 */
async function ask(source, name, store, signal) {
  if (await store?.has(name)) return undefined;
  return source.read(name, { signal }).catch(() => undefined);
}
