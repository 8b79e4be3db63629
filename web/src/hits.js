/** The hits of a search, best first: an array, and how it came about. See `index.d.ts`. */
export class Hits extends Array {
  /** What `map` and `filter` give are plain arrays. */
  static get [Symbol.species]() {
    return Array;
  }

  /**
   * @param {{ hits: object[], partial: boolean, tokens: number, truncated: boolean, shards: object, ms: object }} answer
   */
  static of_(answer) {
    const { hits, ...about } = answer;
    const all = new Hits();
    all.push(...hits);
    return Object.assign(all, about);
  }
}
