// The golden queries in any runtime: ids and scores as the native library gives them, to the last bit; and what a shop's page
// asks beside its queries.

/**
 * @param {any} shelf
 * @param {[string, any, [method: string, options: any]?][]} expected a query, its hits, and how it is asked where it is no plain search
 */
export async function checkGolden(shelf, expected) {
  for (const [query, wanted, how] of expected) {
    if (how) await shelf.load();
    const hits = how ? await asked(shelf, query, how) : await shelf.search(query, { k: 10, mode: "hybrid" });
    const ids = hits.map((hit) => [hit.id, hit.score]);
    const found = how ? { hits: ids, variants: hits.map(({ variants }) => variants ?? null), matches: hits.matches, facets: hits.facets } : ids;
    if (canonical(found) !== canonical(wanted)) {
      throw new Error(`${JSON.stringify([query, how])}: expected ${canonical(wanted)}, found ${canonical(found)}`);
    }
    if (hits.partial) throw new Error(`${JSON.stringify(query)}: partial hits`);
  }
  return expected.length;
}

/** @param {any} shelf @param {string} query @param {[string, any]} how */
function asked(shelf, query, [method, options]) {
  return method === "recommend" ? shelf.recommend(options) : shelf[method](query, options);
}

/** JSON with names in order. @param {unknown} value @returns {string} */
function canonical(value) {
  return JSON.stringify(value, (_, inner) =>
    inner && typeof inner === "object" && !Array.isArray(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
}
