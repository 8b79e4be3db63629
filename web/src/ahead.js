// Requests for the files that words need, made while the wasm module is on its way: their names can be seen in the manifest's
// bytes before the module reads it.

const WORDS = /words-[0-9a-f]+\.nsw/g;
const FRONTS = /front-[0-9a-f-]+\.nsf/g;

/**
 * A source that has asked for some files already, and gives each of these answers once.
 * @param {import("./source.js").Source} source
 * @param {Uint8Array} manifest
 * @param {import("./store.js").Store | undefined} store
 * @param {AbortSignal | undefined} signal
 * @returns {import("./source.js").Source}
 */
export function askAhead(source, manifest, store, signal) {
  const text = new TextDecoder("latin1").decode(manifest);
  const named = (/** @type {RegExp} */ pattern) => [...new Set(text.match(pattern))];
  const fronts = named(FRONTS);
  // Of several shards a query may need none of these: answers that nobody reads would hold up others.
  const names = [...named(WORDS), ...(fronts.length === 1 ? fronts : [])];
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
