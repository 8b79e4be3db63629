// The golden queries in any runtime: ids and scores as the native command line gives them, to the last bit.

/** @param {any} shelf @param {[string, [string, number][]][]} expected */
export async function checkGolden(shelf, expected) {
  for (const [query, wanted] of expected) {
    const hits = await shelf.search(query, { k: 10 });
    const found = hits.map((hit) => [hit.id, hit.score]);
    if (JSON.stringify(found) !== JSON.stringify(wanted)) {
      throw new Error(`${JSON.stringify(query)}: expected ${JSON.stringify(wanted)}, found ${JSON.stringify(found)}`);
    }
    if (hits.partial) throw new Error(`${JSON.stringify(query)}: partial hits`);
  }
  return expected.length;
}
