// The front of a shard: its words and fields as a file of its own, packed as zlib does (RFC 1950).

import { failure } from "./failure.js";

/** Whether this runtime unpacks it. */
export const canUnpack = typeof DecompressionStream !== "undefined";

/**
 * The bytes that a front holds.
 * @param {Uint8Array} packed
 * @param {{ file: { name: string }, bytes: number }} front
 */
export async function unpack(packed, { file, bytes }) {
  const all = new Uint8Array(bytes);
  let length = 0;
  const wrong = (/** @type {unknown} */ found, /** @type {unknown} */ cause) =>
    failure("altered", `${file.name}: expected ${bytes} bytes, packed, found ${found}.`, { cause });
  const stream = new Blob([/** @type {any} */ (packed)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read().catch((cause) => {
      throw wrong(cause?.message, cause);
    });
    if (done) break;
    if (length + value.length > bytes) {
      reader.cancel().catch(() => {});
      throw wrong(`${length + value.length} or more`, undefined);
    }
    all.set(value, length);
    length += value.length;
  }
  if (length !== bytes) throw wrong(length, undefined);
  return all;
}
