/**
 * Semantic product search where the shopper is.
 *
 * ```js
 * import { openShelf } from "nearshelf";
 * const shelf = await openShelf("/shelf/", { onProgress });
 * const hits = await shelf.search("something warm for a rainy hike", { k: 10 });
 * ```
 *
 * @packageDocumentation
 */

/** Bytes of a file. */
export type FileBytes = ArrayBuffer | ArrayBufferView;

/**
 * Where a shelf's files are:
 * - the address of its directory, or of its `shelf.nsm`; in Node, Deno and Bun a path as well;
 * - the `Response` to a request for its `shelf.nsm`; the other files are fetched from beside it;
 * - its files, by name;
 * - a function that gives a file by name, such as from KV, R2 or a bundle. `offset` asks for the file from there on:
 *   a Response of status 206 gives that, anything else the whole file.
 */
export type ShelfSource =
  | string
  | URL
  | Response
  | Map<string, FileBytes>
  | Record<string, FileBytes>
  | ((
      name: string,
      request: { signal?: AbortSignal; offset?: number },
    ) => FileBytes | ReadableStream | Response | Promise<FileBytes | ReadableStream | Response>);

/** Bytes of all files that were asked for so far. */
export interface Progress {
  /** The file that moved. */
  file: string;
  /** Bytes that are here. */
  loaded: number;
  /** Bytes of all files asked for. It grows when a query needs another shard. */
  total: number;
  /** Bytes of `loaded` that an earlier visit had kept. */
  stored: number;
}

/** Options of opening a shelf. */
export interface OpenOptions {
  /** Stops opening. */
  signal?: AbortSignal;
  /**
   * Milliseconds without an answer or a byte after which a request is made again, a few times: for the manifest
   * (10,000), and for every other file (`stall`, 20,000).
   */
  timeout?: { manifest?: number; stall?: number };
  /** Told how downloads go, those of later searches as well. */
  onProgress?: (progress: Progress) => void;
  /**
   * Told of what is wrong but stops nothing: a {@link StorageError}; that the shelf of the last visit answers (`kept`);
   * that a shard cannot be had. By default `console.warn`.
   */
  onWarning?: (error: Error) => void;
  /**
   * Told that the server has another manifest of the shelf: {@link Shelf.refresh} takes it. The server is asked beside
   * searches, once every `revalidate` seconds at most.
   */
  onUpdate?: () => void;
  /** Seconds between these questions; 300 by default. */
  revalidate?: number;
  /**
   * Whether files are kept in the Cache API for the next visit and for use without a connection. By default they
   * are in browsers, for shelves opened by address.
   */
  cache?: boolean;
  /**
   * Whether the shelf lives in a worker of its own, by default in browsers: `false` for this thread; a `Worker`, or
   * a function that makes one, of `nearshelf/worker`, for bundlers that have their own way of making them.
   */
  worker?: boolean | Worker | (() => Worker);
  /**
   * When the encoder comes, which meanings need. `"eager"`: in browsers behind the words, so that texts are searched for by their
   * words until it is here; elsewhere with the shelf, unless `waitUntil` is given. `"lazy"`: with the first search for a text,
   * which is answered by words. `"none"`: never; texts are searched for by words, vectors of your own by meaning.
   */
  encoder?: "eager" | "lazy" | "none";
  /**
   * Keeps an edge function at work after its answer, such as `(work) => ctx.waitUntil(work)`: a cold one then answers its first
   * request by words, while the encoder comes.
   */
  waitUntil?: (work: Promise<unknown>) => void;
  /** Instead of the global `fetch`, such as a binding's. */
  fetch?: typeof fetch;
  /** The wasm module, where it does not lie beside this package's code. */
  wasm?: WebAssembly.Module | URL | string | BufferSource;
  /** The module that reads encoders in ONNX which nearshelf does not recognise; fetched only for such shelves. */
  onnxWasm?: WebAssembly.Module | URL | string | BufferSource;
}

/** A value of an item's field. */
export type FieldValue = string | number | boolean | string[];
/** Fields of an item by name. One that the item has no value for is absent. */
export type Fields = Record<string, FieldValue>;

/** An item that answers a query. */
export interface Hit<F = Fields> {
  /** The item's id in the catalog. */
  id: string;
  /**
   * The score that hits are ordered by: from 0 to 1 where words and meaning are both compared, BM25F by words, the
   * cosine of query and item by meaning. An item that the query names has the best
   * score of all on top of its own, by an identifier twice.
   */
  score: number;
  /** Whether it is no better than chance: its cosine is below the shelf's cut-off, and it has less than half of the words. */
  weak: boolean;
  /** Items that have its value of {@link SearchOptions.distinct}, itself among them. */
  variants?: number;
  /** The reasons, where {@link SearchOptions.why} asks for them and words were looked for. */
  why?: Why;
  /** Its fields: those that it has a value for. */
  fields: Partial<F>;
}

/** The reasons of a hit. */
export interface Why {
  /** Cosine of query and item; null where meanings were not compared. */
  meaning: number | null;
  /** Score of the words that query and item share. */
  words: number | null;
  /** The share of the query's words that the item has, each by its weight, 0 to 1. */
  coverage: number;
  /** Whether the query names the item: by an identifier of it, or by a code that few items have. */
  named: boolean;
  /** Places of the query's words in each text field: from and to, in the units of JavaScript's strings. */
  fields: Record<string, [number, number][]>;
}

/** A completion of what a shopper types. */
export interface Suggestion {
  /** The whole phrase. */
  text: string;
  /** Items that have it, or the weight that the build was given. */
  weight: number;
}

/** An item of the catalog. */
export interface Item<F = Fields> {
  /** Its id in the catalog. */
  id: string;
  /** Its fields: those that it has a value for. */
  fields: Partial<F>;
}

/** The values of a text, tags or bool field (`"true"`, `"false"`) that most items have. */
export interface ValueFacet {
  /** The values with their items, those of most items first. */
  values: { value: string; count: number }[];
  /** Values that there are, told or not. */
  distinct: number;
}

/** A range of numbers with its items: from a number to below another. */
export interface RangeCount {
  from: number | null;
  to: number | null;
  count: number;
}

/** The numbers of a field. */
export interface NumberFacet {
  /** The least number; null where no item has one. */
  min: number | null;
  /** The largest number. */
  max: number | null;
  /** The ranges that were asked for. */
  ranges: RangeCount[];
  /** Ranges of equal width from the least to the largest number, which the last one holds. */
  histogram: RangeCount[];
}

/** Facets by field. */
export type Facets<F = Fields> = {
  [N in keyof F]?: FieldValue extends F[N]
    ? ValueFacet & NumberFacet
    : NonNullable<F[N]> extends number
      ? NumberFacet
      : ValueFacet;
};

/** The hits of a search, best first. `map`, `filter` and the like give plain arrays. */
export interface Hits<F = Fields> extends Array<Hit<F>> {
  /**
   * The parts of a text that hits were compared by. `"words"` where the search asked for them, or named no mode and came before
   * the encoder: then `onPartial` is told of better hits.
   */
  stage: "words" | "hybrid" | "meaning";
  /** Whether shards that the query needs are not here: better hits may come, or the shards cannot be had now. */
  partial: boolean;
  /** Whether nothing fits: there is no hit, or the best is no better than chance; at the stage of words as far as these tell. */
  weak: boolean;
  /** Words of the query that were taken for others of the catalog, the likeliest first. */
  corrected: { from: string; to: string[] }[];
  /** Words that the catalog does not have, nor any like them. */
  unknownWords: string[];
  /**
   * The items that match the query, where they had to be known: for facets, an order by fields, or without a query. `exact`
   * says that they are all: not while shards are missing, nor where more than 1,000 items are near in meaning.
   */
  matches: { count: number; exact: boolean } | null;
  /** The facets that were asked for, counted over the items that match. */
  facets: Facets<F>;
  /** Tokens of the query that were encoded. */
  tokens: number;
  /** Whether the query was longer than the encoder reads. */
  truncated: boolean;
  /**
   * The share of the query's tokens that the encoder does not know, 0 to 1: at 1, as with emoji or a script that it
   * never learned, the hits are chance.
   */
  unknown: number;
  /** Shards that were searched, and that were wanted and not here. */
  shards: { searched: number; missing: number };
  /** Milliseconds that encoding and searching took. */
  ms: { encode: number; search: number };
}

/** Values that a condition on a field compares with. */
type Compared<T> = T extends readonly (infer U)[] ? U : T;

/** Conditions on a field, all of which hold. An item without a value meets none. */
export interface FieldConditions<T> {
  eq?: Compared<T>;
  ne?: Compared<T>;
  lt?: number;
  lte?: number;
  gt?: number;
  gte?: number;
  /** One of these; of tags, one is among these. */
  in?: readonly Compared<T>[];
  notIn?: readonly Compared<T>[];
  exists?: boolean;
}

/** Conditions on an item, all of which hold: a value, a list of values or conditions for each field. */
export type Where<F = Fields> = {
  [N in keyof F]?: Compared<NonNullable<F[N]>> | readonly Compared<NonNullable<F[N]>>[] | FieldConditions<NonNullable<F[N]>>;
} & { and?: readonly Where<F>[]; or?: readonly Where<F>[]; not?: Where<F> };

/** The field names of a type that is a number or a bool. */
type Lifting<F> = { [N in keyof F]: FieldValue extends F[N] ? N : NonNullable<F[N]> extends number | boolean ? N : never }[keyof F];

/** A field that hits are ordered by: `"price:asc"`, `"rating:desc"`. Items without a value stand last. */
export type Sort<F = Fields> = `${keyof F & string}:${"asc" | "desc"}`;

/** The question how many of the items that match have which values. */
export interface FacetOptions {
  /** Values told, those of most items first; 10 by default. */
  limit?: number;
  /** A text that the values told contain, whatever their case. */
  contains?: string;
  /** Ranges that are counted, from one number to below another; of a number field. */
  ranges?: readonly (readonly [from?: number | null, to?: number | null])[];
  /** Ranges of equal width from the least to the largest number that are counted. */
  histogram?: number;
}

/** Options of a search. Defaults are those that the shelf was built for. */
export interface SearchOptions<F = Fields> {
  /** Hits wanted; 10 by default. */
  k?: number;
  /** Hits that are passed over: pages of one `k` hold every hit once. */
  offset?: number;
  /** Fields that hits are ordered by, before their scores: all items that match the query, and no other. */
  sort?: Sort<F> | readonly Sort<F>[];
  /**
   * Fields that lift scores: the best score times the weight times a share of 0 to 1, which is for a number its place
   * between the shelf's least and largest, or `value / (value + pivot)`; for a bool 1 where it is true.
   */
  boosts?: { [N in Lifting<F>]?: number | { weight: number; pivot?: number } };
  /** Ids of items that stand first, in this order, where `where` allows them. */
  pin?: readonly string[];
  /** Ids of items that are no hits. */
  hide?: readonly string[];
  /** A field of which each value has one hit, the best. */
  distinct?: keyof F & string;
  /** Values that are counted over all items that match the query, or without a query over all items. */
  facets?: readonly (keyof F & string)[] | { [N in keyof F]?: boolean | FacetOptions };
  /** Weight of difference: hits that are like one another give way to others, 0 to 1. */
  diversity?: number;
  /**
   * Parts of a text that items are compared by: words and meaning in one ranking (`hybrid`), or one alone. Without it, words and
   * meaning as soon as the encoder is here, words until then; a mode that is named waits for what it needs.
   */
  mode?: "hybrid" | "words" | "meaning";
  /** The weight of the words in a hybrid score beside the meaning, 0 to 1. */
  weight?: number;
  /** Whether the last word of a text may be the beginning of one, as while it is being typed. */
  typing?: boolean;
  /** Whether hits that are no better than chance are left out. */
  leaveWeak?: boolean;
  /** Whether hits come with their reasons. */
  why?: boolean;
  /** Shards searched, nearest first. */
  probe?: number;
  /** Candidates kept while walking the graphs (`ef_search`). */
  ef?: number;
  /** Items that may be hits: `{ price: { lt: 50 }, brand: ["Calder"] }`, or as text `price < 50 AND brand IN ["Calder"]`. */
  where?: Where<F> | string;
  /** Stops waiting. */
  signal?: AbortSignal;
  /**
   * Told of the hits so far whenever another shard has come, and of better ones after the answer, where that was by words
   * because the encoder was not here.
   */
  onPartial?: (hits: Hits<F>) => void;
  /** Answers as soon as one shard is here; the others go on loading. */
  partial?: boolean;
}

/** Items that somebody liked, and how to search for others that fit. */
export interface RecommendOptions<F = Fields> extends SearchOptions<F> {
  /** Ids of items that are liked, in the order in which they were looked at. They are no hits. */
  like?: readonly string[];
  /** Ids of items that are not. They are no hits. */
  unlike?: readonly string[];
  /** Weights of the liked items; without, the last counts most, and the second before it half as much. */
  weights?: readonly number[];
  /** A text that hits have to fit besides. */
  text?: string;
}

/** A catalog that answers queries. */
export interface Shelf<F = Fields> {
  /** Items, those that are gone not counted. */
  readonly items: number;
  /** Components of a vector. */
  readonly dims: number;
  /** Shards. */
  readonly shards: number;
  /** The items' fields. */
  readonly fields: readonly { name: string; kind: "text" | "number" | "bool" | "tags" }[];
  /** The field that was taken as id. */
  readonly idField: string;
  /** The fields whose texts were encoded. */
  readonly textFields: readonly string[];
  /** The version of nearshelf that built it. */
  readonly builtBy: string;
  /** The build of the module that this runtime took. */
  readonly build: "simd128" | "relaxed-simd";

  /**
   * The best items for a text, by its words and its meaning. Shards that it needs are downloaded first; a search that
   * waits for them holds up no other. White space is a query for all items. A shard that cannot be had leaves the hits of the others, marked `partial`.
   */
  search(text: string, options?: SearchOptions<F>): Promise<Hits<F>>;
  /** The items nearest to a unit vector of `dims` components, such as one of {@link Shelf.encode}. */
  searchVector(vector: Float32Array, options?: SearchOptions<F>): Promise<Hits<F>>;
  /** Items that are like one, by its own vector and words. */
  similar(id: string, options?: SearchOptions<F>): Promise<Hits<F>>;
  /** Items that fit what somebody liked: several interests are kept apart. */
  recommend(asked: RecommendOptions<F>): Promise<Hits<F>>;
  /** The item with an id; shards are downloaded until one has it. */
  get(id: string, options?: { signal?: AbortSignal }): Promise<Item<F> | undefined>;
  /** The likeliest completions of a text that is being typed; 5 by default. */
  suggest(text: string, options?: { k?: number; signal?: AbortSignal }): Promise<Suggestion[]>;
  /** The unit vector of a text. */
  encode(text: string, options?: { signal?: AbortSignal }): Promise<Float32Array>;
  /** Downloads encoder and shards and waits until all is kept: from then on no query needs a connection. */
  load(options?: { signal?: AbortSignal }): Promise<void>;
  /**
   * Lays news of items over the shelf, such as live prices and stock of the shop's own service: by id the fields with their
   * new values (null for none), or null for an item that is gone. They stand above the shelf's files and are kept in none.
   */
  overlay(news: Record<string, { [N in keyof F]?: F[N] | null } | null>): Promise<void>;
  /** Bytes of the module's memory, and shards in it. */
  stats(): Promise<{ memory: number; shards: number; encoder: boolean }>;
  /**
   * Takes the shelf as it is on the server now: only files that are not here are fetched. Searches go on meanwhile, with
   * the shelf as it was; what was laid over it stays.
   */
  refresh(options?: { signal?: AbortSignal }): Promise<void>;
  /**
   * Gives its memory back. What is asked afterwards fails. Where the runtime knows `Symbol.dispose`, `using` does it.
   */
  dispose(): void;
}

/**
 * Opens a shelf: downloads its manifest and encoder, checks each file against its digest, and is ready for
 * queries; shards come when a query needs them, nearest first.
 *
 * @typeParam F the fields of the catalog's items
 * @throws {@link NearshelfError} of the kind that tells what is wrong, or the reason of `signal`
 */
export function openShelf<F = Fields>(source: ShelfSource, options?: OpenOptions): Promise<Shelf<F>>;

/** The cause of an error. */
export type ErrorCode =
  | "network"
  | "timeout"
  | "http"
  | "stale"
  | "kept"
  | "not-a-shelf"
  | "altered"
  | "format"
  | "missing"
  | "no-shelf"
  | "too-new"
  | "module"
  | "unsupported"
  | "no-wasm"
  | "no-simd"
  | "wasm-blocked"
  | "worker-blocked"
  | "worker-offline"
  | "memory"
  | "crashed"
  | "quota"
  | "query"
  | "encoding"
  | "options"
  | "disposed";

/** Any error of nearshelf. Its message says what to do. */
export class NearshelfError extends Error {
  readonly code: ErrorCode;
  /** The file's address, where there is one. */
  readonly url?: string;
  /** The server's status, where it gave one. */
  readonly status?: number;
}
/** A file could not be fetched: `network`, `timeout`, `http`, `stale`; only ever a warning: `kept`. */
export class NetworkError extends NearshelfError {}
/** A file is not what it should be: `not-a-shelf`, `altered`, `format`, `missing`, `no-shelf`. */
export class ShelfError extends NearshelfError {}
/** The shelf is newer than this package: `too-new`. */
export class VersionError extends NearshelfError {}
/**
 * The runtime cannot do it: `module`, `unsupported`, `no-wasm`, `no-simd`, `wasm-blocked`, `worker-blocked`,
 * `worker-offline`, `memory`, `crashed`.
 */
export class PlatformError extends NearshelfError {}
/** The browser does not keep the files: `quota`. Only ever a warning. */
export class StorageError extends NearshelfError {}
/** The call is wrong: `query`, `encoding`, `options`, `disposed`. */
export class UsageError extends NearshelfError {}
