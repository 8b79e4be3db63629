/**
 * The worker in which a shelf lives, for bundlers that have their own way of making workers:
 *
 * ```js
 * import ShelfWorker from "nearshelf/worker?worker"; // Vite
 * const shelf = await openShelf("/shelf/", { worker: () => new ShelfWorker() });
 * ```
 */
export {};
