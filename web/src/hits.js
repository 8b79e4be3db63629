// The hits of a search.

/** The hits of a search, best first: an array, and how it came about. See `index.d.ts`. */
export class Hits extends Array {
  /** The results of `map` and `filter` are plain arrays. */
  static get [Symbol.species]() {
    return Array;
  }

  /**
   * @param {{ hits: object[], stage: string, partial: boolean, weak: boolean, corrected: object[], unknownWords: string[], matches?: object,
   *   facets: object, tokens: number, truncated: boolean, unknown: number, shards: object, ms: object }} answer
   */
  static of_(answer) {
    const { hits, ...about } = answer;
    const all = new Hits();
    // One by one: as arguments of a call they would have to fit on the stack.
    for (const hit of hits) all.push(hit);
    return Object.assign(all, about);
  }

  /** The answer as a plain object, which crosses to another thread. @param {any} all */
  static plain_(all) {
    const { stage, partial, weak, corrected, unknownWords, matches, facets, tokens, truncated, unknown, shards, ms } = all;
    return { hits: Array.from(all), stage, partial, weak, corrected, unknownWords, matches, facets, tokens, truncated, unknown, shards, ms };
  }
}
